#include <algorithm>
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
  std::vector<float> scores = {};
  std::optional<tfcompress::TextStream> stream = {};
};

namespace {

using Ids = std::vector<int32_t>;

void Open(const tfcompress::Files& files, const tfc_options* options, tfc_language_model** handle) {
  tfcompress::OpenHandle<tfc_language_model, tfcompress::LanguageModel>(
      files, options, tfcompress::OpenLanguageModelBundle, handle);
}

tfcompress::GenerationOptions Options(const tfc_generation* generation) {
  tfcompress::GenerationOptions options;
  if (generation == nullptr) return options;
  Require(generation->struct_size == sizeof(*generation),
          "`struct_size` must be that of tfc_generation", std::to_string(generation->struct_size),
          "Begin with TFC_DEFAULT_GENERATION");
  options.max_tokens = generation->max_tokens;
  options.beam_size = generation->beam_size;
  options.n_best = generation->n_best;
  options.top_k = generation->top_k;
  options.length_penalty = generation->length_penalty;
  options.temperature = generation->temperature;
  options.seed = generation->seed;
  return options;
}

// Ends a stream, as something else is computed.
tfcompress::LanguageModel& Taken(tfc_language_model* handle) {
  handle->stream.reset();
  return handle->model;
}

tfc_result* Generated(tfc_language_model* handle, const char* text, size_t size, const Ids& prompt,
                      const tfc_generation* generation) {
  tfcompress::LanguageModel& model = Taken(handle);
  tfcompress::Translations results;
  for (tfcompress::Hypothesis& one : model.Generate(prompt, Options(generation))) {
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

tfc_status tfc_open_language_model_memory(const tfc_file* files, size_t num_files,
                                          const tfc_options* options, tfc_language_model** model) {
  return Guarded([&] {
    RequirePointers(files != nullptr && model != nullptr, "`files` and `model`");
    Open(tfcompress::Copies(files, num_files), options, model);
  });
}

void tfc_free_language_model(tfc_language_model* model) { delete model; }

tfc_status tfc_describe_language_model(const tfc_language_model* model,
                                       tfc_language_model_info* info) {
  return Guarded([&] {
    tfcompress::CheckInfo(model, info, "`model` and `info`");
    const tfcompress::LanguageModelBundle& bundle = model->model.bundle();
    *info = {sizeof(*info), bundle.target_vocabulary, bundle.max_target_length, bundle.size};
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
    tfcompress::LanguageModel* const taken = &Taken(model);
    model->stream.emplace(taken, std::string(text, size), Options(generation));
  });
}

tfc_status tfc_begin_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                         const tfc_generation* generation) {
  return Guarded([&] {
    RequirePointers(model != nullptr && (ids != nullptr || num_ids == 0), "`model` and `ids`");
    Taken(model).Begin({ids, ids + num_ids}, Options(generation));
  });
}

tfc_status tfc_next(tfc_language_model* model, const char** piece) {
  return Guarded([&] {
    RequirePointers(model != nullptr && piece != nullptr, "`model` and `piece`");
    Require(model->stream.has_value(), "A text must have begun", "none", "Call tfc_begin first");
    *piece = model->stream->Next();
  });
}

tfc_status tfc_next_id(tfc_language_model* model, int32_t* id, double* log_probability) {
  return Guarded([&] {
    RequirePointers(model != nullptr && id != nullptr, "`model` and `id`");
    const auto token = Taken(model).Next();
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
    Ids ids = model->model.Tokenize({text, size});
    ids.push_back(model->model.bundle().ids.eos);
    model->scores = model->model.Score(ids);
    *scores = model->scores.data();
    *num_scores = model->scores.size();
  });
}

tfc_status tfc_score_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                         float* scores) {
  return Guarded([&] {
    RequirePointers(model != nullptr && (ids != nullptr || num_ids == 0) && scores != nullptr,
                    "`model`, `ids` and `scores`");
    const std::vector<float> all = model->model.Score({ids, ids + num_ids});
    std::copy(all.begin(), all.end(), scores);
  });
}

tfc_status tfc_language_model_logits(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                                     float* logits) {
  return Guarded([&] {
    RequirePointers(model != nullptr && (ids != nullptr || num_ids == 0) && logits != nullptr,
                    "`model`, `ids` and `logits`");
    const std::vector<float> all = Taken(model).Logits({ids, ids + num_ids});
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
