#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/last_error.h"
#include "runtime/c_handles.h"
#include "runtime/c_results.h"
#include "runtime/language_model.h"
#include "runtime/text_stream.h"
#include "tfcompress.h"

using tfcompress::Guarded;
using tfcompress::NewResult;
using tfcompress::Require;
using tfcompress::RequirePointers;

struct tfc_language_model {
  tfcompress::LanguageModel model;
  std::atomic<bool> is_busy{false};
  std::vector<float> scores = {};
  std::optional<tfcompress::TextStream> stream = {};
  // The callback of what has begun.
  tfc_progress_callback on_progress = nullptr;
  void* user_data = nullptr;
};

namespace {

using Ids = std::vector<int32_t>;

void Open(const tfcompress::Files& files, const tfc_options* options, tfc_language_model** handle) {
  tfcompress::OpenHandle<tfc_language_model, tfcompress::LanguageModel>(
      files, options, tfcompress::OpenLanguageModelBundle, handle);
}

tfc_generation Taken(const tfc_generation* generation) {
  return tfcompress::TakenStruct(generation, tfc_generation TFC_DEFAULT_GENERATION,
                                 "tfc_generation");
}

tfcompress::GenerationOptions Options(const tfc_generation& generation) {
  tfcompress::GenerationOptions options;
  options.max_tokens = generation.max_tokens;
  options.beam_size = generation.beam_size;
  options.n_best = generation.n_best;
  options.top_k = generation.top_k;
  options.length_penalty = generation.length_penalty;
  options.temperature = generation.temperature;
  options.seed = generation.seed;
  return options;
}

// One call that computes with a model.
class Call {
 public:
  explicit Call(tfc_language_model* handle)
      : handle_(*handle), use_(&handle->is_busy, &handle->model.cancellation()) {}

  tfcompress::LanguageModel& model() { return handle_.model; }

  // Ends a stream, as something else is computed.
  tfcompress::LanguageModel& Anew(const tfc_generation& generation = TFC_DEFAULT_GENERATION) {
    handle_.stream.reset();
    handle_.model.End();
    handle_.on_progress = generation.on_progress;
    handle_.user_data = generation.user_data;
    return handle_.model;
  }

  // Runs what may be cancelled, which ends a stream, and tells of its progress.
  template <typename Action>
  auto Run(Action action) {
    const tfcompress::Following following(std::vector{&handle_.model}, handle_.on_progress,
                                          handle_.user_data);
    try {
      return action();
    } catch (const tfcompress::Error& error) {
      if (error.code() == tfcompress::Error::Code::kCancelled) handle_.model.End();
      throw;
    }
  }

 private:
  tfc_language_model& handle_;
  tfcompress::Use use_;
};

tfc_result* Generated(tfc_language_model* handle, const char* text, size_t size, const Ids& prompt,
                      const tfc_generation* user_generation) {
  const tfc_generation generation = Taken(user_generation);
  Call call(handle);
  tfcompress::LanguageModel& model = call.Anew(generation);
  tfcompress::Translations results;
  for (tfcompress::Hypothesis& one :
       call.Run([&] { return model.Generate(prompt, Options(generation)); })) {
    std::optional<std::string> rest;
    if (text != nullptr) rest = model.Continuation({text, size}, prompt, one.ids);
    results.best.push_back({std::move(one), std::move(rest)});
  }
  return NewResult(std::move(results));
}

}  // namespace

tfc_status tfc_open_language_model(const char* folder, const tfc_options* options,
                                   tfc_language_model** model) {
  return Guarded([&] {
    RequirePointers(folder != nullptr && model != nullptr, "`folder` and `model`");
    Open(tfcompress::FolderFiles(folder), options, model);
  });
}

tfc_status tfc_open_language_model_files(const tfc_file* files, size_t num_files,
                                         const tfc_options* options, tfc_language_model** model) {
  return Guarded([&] {
    RequirePointers(files != nullptr && model != nullptr, "`files` and `model`");
    Open(tfcompress::Copies(files, num_files), options, model);
  });
}

void tfc_free_language_model(tfc_language_model* model) { delete model; }

void tfc_cancel_language_model(tfc_language_model* model) {
  if (model != nullptr) model->model.cancellation().Request();
}

tfc_status tfc_describe_language_model(const tfc_language_model* model,
                                       tfc_language_model_info* info) {
  return Guarded([&] {
    RequirePointers(model != nullptr && info != nullptr, "`model` and `info`");
    const tfcompress::LanguageModelBundle& bundle = model->model.bundle();
    const tfc_language_model_info known = {sizeof(known), bundle.target_vocabulary,
                                           bundle.max_target_length, bundle.size};
    tfcompress::FillStruct(known, info, "tfc_language_model_info");
  });
}

tfc_status tfc_generate(tfc_language_model* model, const char* text, size_t size,
                        const tfc_generation* generation, tfc_result** result) {
  return Guarded([&] {
    RequirePointers(model != nullptr && text != nullptr && result != nullptr,
                    "`model`, `text` and `result`");
    const Ids prompt = model->model.Tokenize({text, size});
    *result = Generated(model, text, size, prompt, generation);
  });
}

tfc_status tfc_generate_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                            const tfc_generation* generation, tfc_result** result) {
  return Guarded([&] {
    RequirePointers(model != nullptr && (ids != nullptr || num_ids == 0) && result != nullptr,
                    "`model`, `ids` and `result`");
    *result = Generated(model, nullptr, 0, {ids, ids + num_ids}, generation);
  });
}

tfc_status tfc_begin(tfc_language_model* model, const char* text, size_t size,
                     const tfc_generation* generation) {
  return Guarded([&] {
    RequirePointers(model != nullptr && text != nullptr, "`model` and `text`");
    const tfc_generation taken = Taken(generation);
    Call call(model);
    tfcompress::LanguageModel* const anew = &call.Anew(taken);
    call.Run([&] { model->stream.emplace(anew, std::string(text, size), Options(taken)); });
  });
}

tfc_status tfc_begin_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                         const tfc_generation* generation) {
  return Guarded([&] {
    RequirePointers(model != nullptr && (ids != nullptr || num_ids == 0), "`model` and `ids`");
    const tfc_generation taken = Taken(generation);
    Call call(model);
    tfcompress::LanguageModel& anew = call.Anew(taken);
    call.Run([&] { anew.Begin({ids, ids + num_ids}, Options(taken)); });
  });
}

tfc_status tfc_next(tfc_language_model* model, const char** piece) {
  return Guarded([&] {
    RequirePointers(model != nullptr && piece != nullptr, "`model` and `piece`");
    Call call(model);
    Require(model->stream.has_value(), "A text must have begun", "none", "Call tfc_begin first");
    *piece = call.Run([&] { return model->stream->Next(); });
  });
}

tfc_status tfc_piece_scores(tfc_language_model* model, const int32_t** ids, const double** scores,
                            size_t* num_scores) {
  return Guarded([&] {
    RequirePointers(
        model != nullptr && ids != nullptr && scores != nullptr && num_scores != nullptr,
        "`model`, `ids`, `scores` and `num_scores`");
    const Call call(model);
    Require(model->stream.has_value(), "A text must have begun", "none", "Call tfc_begin first");
    *ids = model->stream->piece_ids().data();
    *scores = model->stream->piece_scores().data();
    *num_scores = model->stream->piece_scores().size();
  });
}

tfc_status tfc_next_id(tfc_language_model* model, int32_t* id, double* log_probability) {
  return Guarded([&] {
    RequirePointers(model != nullptr && id != nullptr, "`model` and `id`");
    Call call(model);
    model->stream.reset();
    const auto token = call.Run([&] { return call.model().Next(); });
    *id = token ? token->id : -1;
    if (log_probability != nullptr) *log_probability = token ? token->log_probability : 0;
  });
}

tfc_status tfc_score(tfc_language_model* model, const char* text, size_t size, const float** scores,
                     size_t* num_scores) {
  return Guarded([&] {
    RequirePointers(
        model != nullptr && text != nullptr && scores != nullptr && num_scores != nullptr,
        "`model`, `text`, `scores` and `num_scores`");
    Call call(model);
    Ids ids = model->model.Tokenize({text, size});
    ids.push_back(model->model.bundle().ids.eos);
    model->scores = call.model().Score(ids);
    *scores = model->scores.data();
    *num_scores = model->scores.size();
  });
}

tfc_status tfc_score_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                         float* scores) {
  return Guarded([&] {
    RequirePointers(model != nullptr && (ids != nullptr || num_ids == 0) && scores != nullptr,
                    "`model`, `ids` and `scores`");
    Call call(model);
    const std::vector<float> all = call.model().Score({ids, ids + num_ids});
    std::copy(all.begin(), all.end(), scores);
  });
}

tfc_status tfc_language_model_logits(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                                     float* logits) {
  return Guarded([&] {
    RequirePointers(model != nullptr && (ids != nullptr || num_ids == 0) && logits != nullptr,
                    "`model`, `ids` and `logits`");
    Call call(model);
    const std::vector<float> all = call.Anew().Logits({ids, ids + num_ids});
    std::copy(all.begin(), all.end(), logits);
  });
}

tfc_status tfc_language_model_tokenize(const tfc_language_model* model, const char* text,
                                       size_t size, tfc_result** result) {
  return Guarded([&] {
    RequirePointers(model != nullptr && text != nullptr && result != nullptr,
                    "`model`, `text` and `result`");
    tfcompress::Translations only;
    only.best.push_back({{model->model.Tokenize({text, size}), 0, 0}, std::nullopt});
    *result = NewResult(std::move(only));
  });
}
