#include "runtime/session.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <limits>
#include <string_view>

#include "common/error.h"
#include "common/schema.h"
#include "runtime/recent.h"

namespace tfcompress {
namespace {

using litert::kFloat32;
using litert::kInt32;

// Caches have a multiple of this many rows. A step costs more the longer its cache is, but to
// lengthen it costs as much as several steps.
constexpr int32_t kCacheRows = 32;
constexpr size_t kKeptLengths = 8;
constexpr size_t kKeptDecoders = 4;
constexpr std::string_view kTopLogits = ops::top_logits::kSchema.name;

// Runs a signature and gives the seconds that took.
double Run(litert::Model::Signature* signature) {
  const auto begin = std::chrono::steady_clock::now();
  signature->Run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<StateTensor> Select(const std::vector<StateTensor>& state, bool per_sentence) {
  std::vector<StateTensor> selected;
  std::copy_if(state.begin(), state.end(), std::back_inserter(selected),
               [&](const StateTensor& tensor) { return tensor.per_sentence == per_sentence; });
  return selected;
}

// A tensor per hypothesis as `[rows * outer, length, inner]`, with positions in the middle; of one
// that does not grow, all is one position.
struct View {
  float* data;
  bool grows;
  size_t outer = 1, length = 1, inner = 1;

  View(const StateTensor& tensor, const litert::Buffer& buffer, int32_t positions)
      : data(buffer.floats()), grows(tensor.grows()) {
    bool behind = !grows;
    for (int32_t size : tensor.shape) {
      if (size == StateTensor::kPositions) {
        behind = true;
        length = static_cast<size_t>(positions);
      } else {
        (behind ? inner : outer) *= static_cast<size_t>(size);
      }
    }
  }

  float* At(size_t row, size_t part) const { return data + (row * outer + part) * length * inner; }
  // Values of the first positions.
  size_t Filled(int32_t positions) const {
    return grows ? static_cast<size_t>(positions) * inner : inner;
  }
};

}  // namespace

Session::Session(const litert::Api& api, const DecoderBundle& bundle, int num_threads,
                 litert::Profile* profile)
    : longest_(bundle.max_target_length),
      vocabulary_(bundle.target_vocabulary),
      blocks_(bundle.block ? bundle.target_vocabulary / *bundle.block : 0),
      gives_top_(std::count(bundle.custom_ops.begin(), bundle.custom_ops.end(), kTopLogits) > 0),
      gives_alignments_(bundle.gives_alignments),
      sentence_(Select(bundle.state, true)),
      hypotheses_(Select(bundle.state, false)),
      grows_(std::any_of(hypotheses_.begin(), hypotheses_.end(),
                         [](const StateTensor& tensor) { return tensor.grows(); })),
      model_(api, bundle.name, bundle.model, num_threads, profile),
      whole_(model_.Find(bundle.source_vocabulary > 0 ? "encode" : "score")),
      step_(model_.Find("step")) {
  if (!gives_top_) results_["logits"] = vocabulary_;
  if (bundle.block && !gives_top_) {
    results_["block_max"] = blocks_;
    results_["log_sum_exp"] = 1;
  }
  const litert::Spec ids{kInt32, {-1}};
  const auto spec = [](const StateTensor& tensor) {
    return litert::Spec{kFloat32, tensor.Sizes(-1, -1)};
  };
  litert::Specs sentence, inputs, outputs;
  for (const StateTensor& tensor : sentence_) sentence[tensor.name] = spec(tensor);
  if (bundle.source_vocabulary > 0) {
    whole_.Expect({{"ids", ids}}, sentence);
  } else {
    whole_.Expect({{"ids", ids}, {"labels", ids}}, {{"log_probabilities", {kFloat32, {-1}}}});
    encoders_.push_front({0, {}, {}});
  }
  inputs = sentence;
  inputs["ids"] = ids;
  inputs["position"] = {kInt32, {1}};
  inputs["mask"] = {kFloat32, {1, 1, 1, -1}};
  for (const StateTensor& tensor : hypotheses_) {
    inputs[tensor.name] = outputs["new_" + tensor.name] = spec(tensor);
  }
  for (const auto& [name, width] : results_) outputs[name] = {kFloat32, {-1, width}};
  if (gives_alignments_) outputs["alignment"] = {kFloat32, {-1, -1}};
  if (gives_top_) {
    inputs["shortlist"] = {kInt32, {vocabulary_}};
    inputs["shortlist_size"] = {kInt32, {1}};
    inputs["width"] = {kInt32, {-1}};
    outputs["top_values"] = {kFloat32, {-1, -1}};
    outputs["top_ids"] = {kInt32, {-1, -1}};
    outputs["log_sum_exp"] = outputs["eos_logits"] = {kFloat32, {-1, 1}};
  }
  step_.Expect(inputs, outputs);
  if (gives_top_) {
    candidates_["shortlist"] = model_.NewBuffer(kInt32, {vocabulary_});
    candidates_["shortlist_size"] = model_.NewBuffer(kInt32, {1});
    if (bundle.shortlist) {
      shortlist_ = Shortlist::Parse(*bundle.shortlist, bundle.shortlist_name,
                                    bundle.source_vocabulary, vocabulary_);
    }
  }
}

void Session::Encode(const std::vector<int32_t>& ids, const std::vector<int32_t>& wanted) {
  const auto length = static_cast<int32_t>(ids.size());
  whole_.Resize("ids", {length});
  Encoder& encoder = Recent(
      &encoders_, kKeptLengths, [&](const Encoder& e) { return e.length == length; },
      [&] {
        Encoder fresh{length, model_.NewBuffer(kInt32, {length}), {}};
        for (const StateTensor& tensor : sentence_) {
          fresh.state[tensor.name] = model_.NewBuffer(kFloat32, tensor.Sizes(1, length));
        }
        return fresh;
      });
  std::copy(ids.begin(), ids.end(), encoder.ids.integers());
  if (shortlist_) {
    std::vector<int32_t> candidates = shortlist_->Candidates(ids);
    candidates.insert(candidates.end(), wanted.begin(), wanted.end());
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    Choose(candidates);
  }
  whole_.Bind({{"ids", encoder.ids}}, encoder.state);
  timings_ = {};
  timings_.encode_seconds = Run(&whole_);
}

std::vector<float> Session::Score(const std::vector<int32_t>& row, int32_t bos) {
  const auto length = static_cast<int32_t>(row.size());
  whole_.Resize("ids", {length});
  whole_.Resize("labels", {length});
  const litert::Buffer ids = model_.NewBuffer(kInt32, {length});
  const litert::Buffer labels = model_.NewBuffer(kInt32, {length});
  const litert::Buffer scores = model_.NewBuffer(kFloat32, {length});
  ids.integers()[0] = bos;
  std::copy(row.begin(), row.end() - 1, ids.integers() + 1);
  std::copy(row.begin(), row.end(), labels.integers());
  whole_.Bind({{"ids", ids}, {"labels", labels}}, {{"log_probabilities", scores}});
  whole_.Run();
  return {scores.floats(), scores.floats() + length};
}

void Session::Start(int32_t rows, int32_t top) {
  position_ = 0;
  // Room for a translation a quarter longer than its source, which few outgrow.
  const int32_t wanted = encoders_.front().length * 5 / 4 + kCacheRows;
  UseDecoder(rows, grows_ ? wanted - wanted % kCacheRows : longest_,
             gives_top_ ? std::min(top, vocabulary_) : 0);
  const Decoder& decoder = decoders_.front();
  const litert::Buffer& mask = decoder.inputs.at("mask");
  std::fill_n(mask.floats(), mask.elements(), kMasked);
  for (const StateTensor& tensor : hypotheses_) {
    const litert::Buffer& buffer = decoder.inputs.at(tensor.name);
    if (!tensor.grows()) std::fill_n(buffer.floats(), buffer.elements(), tensor.initial);
  }
}

StepOutput Session::Step(const std::vector<int32_t>& tokens) {
  if (position_ == decoders_.front().cache_rows) Grow();
  const Decoder& decoder = decoders_.front();
  std::copy(tokens.begin(), tokens.end(), decoder.inputs.at("ids").integers());
  decoder.inputs.at("position").integers()[0] = position_;
  decoder.inputs.at("mask").floats()[position_] = 0;
  ++position_;
  const double seconds = Run(&step_);
  if (timings_.steps++ == 0) timings_.first_step_seconds = seconds;
  timings_.step_seconds += seconds;
  for (const StateTensor& tensor : hypotheses_) {
    if (tensor.grows()) continue;
    const litert::Buffer& next = decoder.outputs.at("new_" + tensor.name);
    std::copy_n(next.floats(), next.elements(), decoder.inputs.at(tensor.name).floats());
  }
  if (gives_top_) CheckTop(decoder.outputs.at("top_ids"));
  const auto result = [&](const char* name) -> const float* {
    const auto it = decoder.outputs.find(name);
    return it == decoder.outputs.end() ? nullptr : it->second.floats();
  };
  return {result("logits"),
          result("block_max"),
          result("log_sum_exp"),
          vocabulary_,
          blocks_,
          result("top_values"),
          gives_top_ ? decoder.outputs.at("top_ids").integers() : nullptr,
          result("eos_logits"),
          decoder.top,
          result("alignment"),
          decoder.source_length};
}

std::vector<float> Session::Logits(const std::vector<int32_t>& target, int32_t bos) {
  const auto width = static_cast<size_t>(vocabulary_);
  std::vector<float> logits;
  std::vector<int32_t> token = {bos};
  if (gives_top_) Choose({});
  Start(1, vocabulary_);
  for (size_t i = 0; i <= target.size(); ++i) {
    const StepOutput output = Step(token);
    if (output.logits != nullptr) {
      logits.insert(logits.end(), output.logits, output.logits + width);
    } else {
      // What is no number is not among the best.
      logits.resize(logits.size() + width, std::numeric_limits<float>::quiet_NaN());
      float* row = logits.data() + i * width;
      for (size_t j = 0; j < width && output.top_ids[j] >= 0; ++j) {
        row[output.top_ids[j]] = output.top_values[j];
      }
    }
    if (i < target.size()) token[0] = target[i];
  }
  return logits;
}

void Session::CheckTop(const litert::Buffer& ids) const {
  const int32_t* const begin = ids.integers();
  const auto is_known = [this](int32_t id) { return id < vocabulary_; };
  if (std::all_of(begin, begin + ids.elements(), is_known)) return;
  throw Error(Error::Code::kBadBundle, "The model is unlike its manifest",
              "ids outside its vocabulary", kCopyAgain);
}

void Session::Reorder(const std::vector<int32_t>& parents) {
  const Decoder& decoder = decoders_.front();
  std::vector<float> moved;
  for (const StateTensor& tensor : hypotheses_) {
    const View view(tensor, decoder.inputs.at(tensor.name), decoder.cache_rows);
    const size_t filled = view.Filled(position_);
    // All sources are read before any row is written, as rows may change places.
    moved.clear();
    const auto for_moved = [&](auto action) {
      for (size_t row = 0; row < parents.size(); ++row) {
        const auto parent = static_cast<size_t>(parents[row]);
        for (size_t part = 0; row != parent && part < view.outer; ++part) {
          action(view.At(row, part), view.At(parent, part));
        }
      }
    };
    for_moved(
        [&](float*, const float* source) { moved.insert(moved.end(), source, source + filled); });
    const float* next = moved.data();
    for_moved([&](float* target, const float*) {
      std::memcpy(target, next, filled * sizeof(float));
      next += filled;
    });
  }
}

void Session::Choose(const std::vector<int32_t>& candidates) {
  std::copy(candidates.begin(), candidates.end(), candidates_.at("shortlist").integers());
  candidates_.at("shortlist_size").integers()[0] = static_cast<int32_t>(candidates.size());
}

void Session::UseDecoder(int32_t rows, int32_t cache_rows, int32_t top) {
  cache_rows = std::min(cache_rows, longest_);
  const Encoder& encoder = encoders_.front();
  const int32_t source_length = gives_alignments_ ? encoder.length : 0;
  step_.Resize("ids", {rows});
  step_.Resize("mask", {1, 1, 1, cache_rows});
  if (gives_top_) step_.Resize("width", {top});
  for (const StateTensor& tensor : hypotheses_) {
    step_.Resize(tensor.name, tensor.Sizes(rows, cache_rows));
  }
  for (const StateTensor& tensor : sentence_) {
    step_.Resize(tensor.name, tensor.Sizes(1, encoder.length));
  }
  const Decoder& decoder = Recent(
      &decoders_, kKeptDecoders,
      [&](const Decoder& d) {
        return d.rows == rows && d.cache_rows == cache_rows && d.top == top &&
               d.source_length == source_length;
      },
      [&] { return NewDecoder(rows, cache_rows, top, source_length); });
  litert::Buffers inputs = decoder.inputs;
  inputs.insert(encoder.state.begin(), encoder.state.end());
  inputs.insert(candidates_.begin(), candidates_.end());
  step_.Bind(inputs, decoder.outputs);
}

Session::Decoder Session::NewDecoder(int32_t rows, int32_t cache_rows, int32_t top,
                                     int32_t source_length) const {
  Decoder decoder{rows, cache_rows, top, source_length, {}, {}};
  decoder.inputs["ids"] = model_.NewBuffer(kInt32, {rows});
  decoder.inputs["position"] = model_.NewBuffer(kInt32, {1});
  decoder.inputs["mask"] = model_.NewBuffer(kFloat32, {1, 1, 1, cache_rows});
  for (const StateTensor& tensor : hypotheses_) {
    const litert::Shape sizes = tensor.Sizes(rows, cache_rows);
    litert::Buffer& now = decoder.inputs[tensor.name] = model_.NewBuffer(kFloat32, sizes);
    // What grows is written in place: one buffer is both input and output.
    decoder.outputs["new_" + tensor.name] =
        tensor.grows() ? now : model_.NewBuffer(kFloat32, sizes);
  }
  for (const auto& [name, width] : results_) {
    decoder.outputs[name] = model_.NewBuffer(kFloat32, {rows, width});
  }
  if (gives_alignments_) {
    decoder.outputs["alignment"] = model_.NewBuffer(kFloat32, {rows, source_length});
  }
  if (gives_top_) {
    decoder.inputs["width"] = model_.NewBuffer(kInt32, {top});
    decoder.outputs["top_values"] = model_.NewBuffer(kFloat32, {rows, top});
    decoder.outputs["top_ids"] = model_.NewBuffer(kInt32, {rows, top});
    decoder.outputs["log_sum_exp"] = model_.NewBuffer(kFloat32, {rows, 1});
    decoder.outputs["eos_logits"] = model_.NewBuffer(kFloat32, {rows, 1});
  }
  return decoder;
}

// Goes on in a longer cache.
void Session::Grow() {
  const Decoder old = decoders_.front();
  UseDecoder(old.rows, 2 * old.cache_rows, old.top);
  const Decoder& decoder = decoders_.front();
  const litert::Buffer& mask = decoder.inputs.at("mask");
  std::fill_n(mask.floats(), mask.elements(), kMasked);
  std::fill_n(mask.floats(), position_, 0.0f);
  for (const StateTensor& tensor : hypotheses_) {
    const auto view = [&tensor](const Decoder& d) {
      return View(tensor, d.inputs.at(tensor.name), d.cache_rows);
    };
    const View source = view(old), target = view(decoder);
    for (size_t row = 0; row < static_cast<size_t>(old.rows); ++row) {
      for (size_t part = 0; part < source.outer; ++part) {
        std::memcpy(target.At(row, part), source.At(row, part),
                    source.Filled(position_) * sizeof(float));
      }
    }
  }
}

}  // namespace tfcompress
