#include "runtime/session.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
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
// The memories of batches have room for a multiple of this many positions.
constexpr int32_t kMemoryRows = 16;
constexpr size_t kKeptMemories = 2;
constexpr int32_t kRetired = -1;
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

// A tensor as `[rows * outer, length, inner]`, with positions in the middle; of one without, all is
// one position.
struct View {
  float* data;
  bool has_positions;
  size_t outer = 1, length = 1, inner = 1;

  View(const StateTensor& tensor, const litert::Buffer& buffer, int32_t positions)
      : data(buffer.floats()),
        has_positions(
            std::count(tensor.shape.begin(), tensor.shape.end(), StateTensor::kPositions) > 0) {
    bool behind = !has_positions;
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
    return has_positions ? static_cast<size_t>(positions) * inner : inner;
  }
};

// Copies the first positions of a row.
void CopyRow(const View& from, int32_t row, int32_t positions, const View& to, int32_t to_row) {
  for (size_t part = 0; part < from.outer; ++part) {
    std::memcpy(to.At(static_cast<size_t>(to_row), part), from.At(static_cast<size_t>(row), part),
                from.Filled(positions) * sizeof(float));
  }
}

}  // namespace

Session::Session(const litert::Api& api, const DecoderBundle& bundle, int num_threads,
                 litert::Profile* profile)
    : longest_(bundle.max_target_length),
      vocabulary_(bundle.target_vocabulary),
      blocks_(bundle.block ? bundle.target_vocabulary / *bundle.block : 0),
      gives_top_(std::count(bundle.custom_ops.begin(), bundle.custom_ops.end(), kTopLogits) > 0),
      gives_alignments_(bundle.gives_alignments),
      is_ragged_(bundle.is_ragged),
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
    encoders_.push_front({0, {}, {}, {}});
  }
  inputs = sentence;
  inputs["ids"] = ids;
  inputs["position"] = {kInt32, {is_ragged_ ? -1 : 1}};
  if (is_ragged_) inputs["memory_lengths"] = {kInt32, {-1}};
  inputs["mask"] = {kFloat32, {1, 1, 1, -1}};
  for (const StateTensor& tensor : hypotheses_) {
    inputs[tensor.name] = outputs["new_" + tensor.name] = spec(tensor);
  }
  for (const auto& [name, width] : results_) outputs[name] = {kFloat32, {-1, width}};
  if (gives_alignments_) outputs["alignment"] = {kFloat32, {-1, -1}};
  if (gives_top_) {
    inputs["shortlist"] = {kInt32, {-1, vocabulary_}};
    inputs["shortlist_size"] = {kInt32, {-1}};
    inputs["width"] = {kInt32, {-1}};
    outputs["top_values"] = {kFloat32, {-1, -1}};
    outputs["top_ids"] = {kInt32, {-1, -1}};
    outputs["log_sum_exp"] = outputs["eos_logits"] = {kFloat32, {-1, 1}};
  }
  step_.Expect(inputs, outputs);
  if (gives_top_) {
    candidates_["shortlist"] = model_.NewBuffer(kInt32, {1, vocabulary_});
    candidates_["shortlist_size"] = model_.NewBuffer(kInt32, {1});
    if (bundle.shortlist) {
      shortlist_ = Shortlist::Parse(*bundle.shortlist, bundle.shortlist_name,
                                    bundle.source_vocabulary, vocabulary_);
    }
  }
}

void Session::Encode(const std::vector<int32_t>& ids, const std::vector<int32_t>& wanted) {
  timings_ = {};
  is_batch_ = false;
  RunEncoder(ids);
  if (shortlist_) Choose(Candidates(ids, wanted), candidates_, 0, vocabulary_);
}

const Session::Encoder& Session::RunEncoder(const std::vector<int32_t>& ids) {
  const auto length = static_cast<int32_t>(ids.size());
  whole_.Resize("ids", {length});
  Encoder& encoder = Recent(
      &encoders_, kKeptLengths, [&](const Encoder& e) { return e.length == length; },
      [&] {
        Encoder fresh{length, model_.NewBuffer(kInt32, {length}), {}, {}};
        for (const StateTensor& tensor : sentence_) {
          fresh.state[tensor.name] = model_.NewBuffer(kFloat32, tensor.Sizes(1, length));
        }
        if (is_ragged_) {
          fresh.memory_length = model_.NewBuffer(kInt32, {1});
          fresh.memory_length.integers()[0] = length;
        }
        return fresh;
      });
  std::copy(ids.begin(), ids.end(), encoder.ids.integers());
  whole_.Bind({{"ids", encoder.ids}}, encoder.state);
  timings_.encode_seconds += Run(&whole_);
  return encoder;
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
  is_batch_ = false;
  positions_ = {0};
  rows_ = rows;
  UseDecoder(CacheRows(encoders_.front().length), gives_top_ ? std::min(top, vocabulary_) : 0);
  Clear(0, rows);
}

void Session::StartBatch(int32_t sentences, int32_t rows, int32_t top, int32_t longest) {
  timings_ = {};
  is_batch_ = true;
  positions_.assign(static_cast<size_t>(sentences), 0);
  rows_ = rows;
  const int32_t padded = (longest + kMemoryRows - 1) / kMemoryRows * kMemoryRows;
  UseMemories(sentences, is_ragged_ ? padded : longest);
  UseDecoder(CacheRows(longest), gives_top_ ? std::min(top, vocabulary_) : 0);
  Clear(0, Rows());
}

void Session::Place(int32_t place, const std::vector<int32_t>& ids,
                    const std::vector<int32_t>& wanted) {
  const Encoder& encoder = RunEncoder(ids);
  const Memories& memories = memories_.front();
  for (const StateTensor& tensor : sentence_) {
    const View source(tensor, encoder.state.at(tensor.name), encoder.length);
    const View target(tensor, memories.inputs.at(tensor.name), memories.length);
    for (int32_t copy = 0; copy < memories.copies(); ++copy) {
      CopyRow(source, 0, encoder.length, target, place * memories.copies() + copy);
    }
  }
  if (is_ragged_) memories.inputs.at("memory_lengths").integers()[place] = encoder.length;
  if (shortlist_) Choose(Candidates(ids, wanted), memories.inputs, place, vocabulary_);
  positions_[static_cast<size_t>(place)] = 0;
  Clear(place * rows_, rows_);
}

void Session::Retire(int32_t place) { positions_[static_cast<size_t>(place)] = kRetired; }

void Session::Keep(const std::vector<int32_t>& places) {
  const Decoder old = decoders_.front();
  const Memories memories = memories_.front();
  std::vector<int32_t> positions, rows;
  for (const int32_t place : places) {
    positions.push_back(positions_[static_cast<size_t>(place)]);
    for (int32_t row = 0; row < rows_; ++row) rows.push_back(place * rows_ + row);
  }
  positions_ = positions;
  UseMemories(static_cast<int32_t>(places.size()), memories.length);
  const Memories& kept = memories_.front();
  for (int32_t i = 0; i < kept.count; ++i) {
    const int32_t from =
        places[static_cast<size_t>(i / kept.copies())] * kept.copies() + i % kept.copies();
    for (const StateTensor& tensor : sentence_) {
      const View source(tensor, memories.inputs.at(tensor.name), memories.length);
      const View target(tensor, kept.inputs.at(tensor.name), kept.length);
      CopyRow(source, from, kept.length, target, i);
    }
  }
  for (const char* name : {"memory_lengths", "shortlist", "shortlist_size"}) {
    const auto source = memories.inputs.find(name);
    if (source == memories.inputs.end()) continue;
    const size_t each = source->second.elements() / static_cast<size_t>(memories.sentences);
    for (size_t i = 0; i < places.size(); ++i) {
      std::copy_n(source->second.integers() + static_cast<size_t>(places[i]) * each, each,
                  kept.inputs.at(name).integers() + i * each);
    }
  }
  UseDecoder(old.cache_rows, old.top);
  Continue(old, rows);
}

void Session::Clear(int32_t first, int32_t count) {
  const Decoder& decoder = decoders_.front();
  if (*std::max_element(positions_.begin(), positions_.end()) <= 0) {
    const litert::Buffer& mask = decoder.inputs.at("mask");
    std::fill_n(mask.floats(), mask.elements(), kMasked);
  }
  for (const StateTensor& tensor : hypotheses_) {
    if (tensor.grows()) continue;
    const View view(tensor, decoder.inputs.at(tensor.name), 1);
    std::fill_n(view.At(static_cast<size_t>(first), 0), view.inner * static_cast<size_t>(count),
                tensor.initial);
  }
}

int32_t Session::PositionOf(int32_t row) const {
  return std::max(positions_[static_cast<size_t>(row / rows_)], 0);
}

StepOutput Session::Step(const std::vector<int32_t>& tokens) {
  const int32_t last = std::max(*std::max_element(positions_.begin(), positions_.end()), 0);
  if (last == decoders_.front().cache_rows) Grow();
  const Decoder& decoder = decoders_.front();
  std::copy(tokens.begin(), tokens.end(), decoder.inputs.at("ids").integers());
  int32_t* const position = decoder.inputs.at("position").integers();
  position[0] = last;
  for (int32_t row = 0; decoder.positions > 1 && row < decoder.rows; ++row) {
    position[row] = PositionOf(row);
  }
  decoder.inputs.at("mask").floats()[last] = 0;
  for (int32_t& own : positions_) own += own == kRetired ? 0 : 1;
  const double seconds = Run(&step_);
  if (timings_.steps++ == 0) timings_.first_step_seconds = seconds;
  timings_.step_seconds += seconds;
  for (const StateTensor& tensor : hypotheses_) {
    if (tensor.grows()) continue;
    const litert::Buffer& next = decoder.outputs.at("new_" + tensor.name);
    std::copy_n(next.floats(), next.elements(), decoder.inputs.at(tensor.name).floats());
  }
  if (gives_top_) CheckTop(decoder.outputs.at("top_ids"));
  if (progress_ != nullptr) progress_->AddToken();
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
  if (gives_top_) Choose({}, candidates_, 0, vocabulary_);
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
    // All sources are read before any row is written, as rows may change places.
    moved.clear();
    const auto for_moved = [&](auto action) {
      for (size_t row = 0; row < parents.size(); ++row) {
        const auto parent = static_cast<size_t>(parents[row]);
        if (row == parent) continue;
        const size_t filled = view.Filled(PositionOf(static_cast<int32_t>(row)));
        for (size_t part = 0; part < view.outer; ++part) {
          action(view.At(row, part), view.At(parent, part), filled);
        }
      }
    };
    for_moved([&](float*, const float* source, size_t filled) {
      moved.insert(moved.end(), source, source + filled);
    });
    const float* next = moved.data();
    for_moved([&](float* target, const float*, size_t filled) {
      std::memcpy(target, next, filled * sizeof(float));
      next += filled;
    });
  }
}

std::vector<int32_t> Session::Candidates(const std::vector<int32_t>& ids,
                                         const std::vector<int32_t>& wanted) const {
  std::vector<int32_t> candidates = shortlist_->Candidates(ids);
  candidates.insert(candidates.end(), wanted.begin(), wanted.end());
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  return candidates;
}

void Session::Choose(const std::vector<int32_t>& candidates, const litert::Buffers& lists,
                     int32_t list, int32_t vocabulary) {
  std::copy(candidates.begin(), candidates.end(),
            lists.at("shortlist").integers() + static_cast<ptrdiff_t>(list) * vocabulary);
  lists.at("shortlist_size").integers()[list] = static_cast<int32_t>(candidates.size());
}

int32_t Session::CacheRows(int32_t source_length) const {
  if (!grows_) return longest_;
  // Room for a translation a quarter longer than its source, which few outgrow.
  const int32_t wanted = source_length * 5 / 4 + kCacheRows;
  return wanted - wanted % kCacheRows;
}

void Session::UseMemories(int32_t sentences, int32_t length) {
  const int32_t count = is_ragged_ ? sentences : sentences * rows_;
  Recent(
      &memories_, kKeptMemories,
      [&](const Memories& m) {
        return m.count == count && m.sentences == sentences && m.length == length;
      },
      [&] { return NewMemories(sentences, length); });
}

Session::Memories Session::NewMemories(int32_t sentences, int32_t length) const {
  Memories memories{is_ragged_ ? sentences : sentences * rows_, sentences, length, {}};
  for (const StateTensor& tensor : sentence_) {
    memories.inputs[tensor.name] = model_.NewBuffer(kFloat32, tensor.Sizes(memories.count, length));
  }
  if (is_ragged_) memories.inputs["memory_lengths"] = model_.NewBuffer(kInt32, {sentences});
  if (shortlist_) {
    memories.inputs["shortlist"] = model_.NewBuffer(kInt32, {sentences, vocabulary_});
    memories.inputs["shortlist_size"] = model_.NewBuffer(kInt32, {sentences});
  }
  return memories;
}

void Session::UseDecoder(int32_t cache_rows, int32_t top) {
  const Encoder& encoder = encoders_.front();
  litert::Buffers inputs = is_batch_ ? memories_.front().inputs : encoder.state;
  if (!is_batch_ && is_ragged_) inputs["memory_lengths"] = encoder.memory_length;
  // The tokens to choose from, unless those of each sentence are there.
  inputs.insert(candidates_.begin(), candidates_.end());
  const int32_t memories = is_batch_ ? memories_.front().count : 1;
  const int32_t source_length = is_batch_ ? memories_.front().length : encoder.length;
  const Decoder sizes = {
      Rows(), is_batch_ && is_ragged_ ? Rows() : 1,  std::min(cache_rows, longest_),
      top,    gives_alignments_ ? source_length : 0, {},
      {}};
  step_.Resize("ids", {sizes.rows});
  step_.Resize("mask", {1, 1, 1, sizes.cache_rows});
  for (const StateTensor& tensor : hypotheses_) {
    step_.Resize(tensor.name, tensor.Sizes(sizes.rows, sizes.cache_rows));
  }
  for (const StateTensor& tensor : sentence_) {
    step_.Resize(tensor.name, tensor.Sizes(memories, source_length));
  }
  if (is_ragged_) {
    step_.Resize("position", {sizes.positions});
    step_.Resize("memory_lengths", {memories});
  }
  if (gives_top_) {
    const int32_t lists = is_batch_ && shortlist_ ? memories_.front().sentences : 1;
    step_.Resize("width", {top});
    step_.Resize("shortlist", {lists, vocabulary_});
    step_.Resize("shortlist_size", {lists});
  }
  const Decoder& decoder = Recent(
      &decoders_, kKeptDecoders, [&](const Decoder& d) { return IsLike(d, sizes); },
      [&] { return NewDecoder(sizes); });
  inputs.insert(decoder.inputs.begin(), decoder.inputs.end());
  step_.Bind(inputs, decoder.outputs);
}

bool Session::IsLike(const Decoder& a, const Decoder& b) {
  return a.rows == b.rows && a.positions == b.positions && a.cache_rows == b.cache_rows &&
         a.top == b.top && a.source_length == b.source_length;
}

Session::Decoder Session::NewDecoder(const Decoder& sizes) const {
  Decoder decoder = sizes;
  const auto& [rows, positions, cache_rows, top, source_length, inputs, outputs] = sizes;
  decoder.inputs["ids"] = model_.NewBuffer(kInt32, {rows});
  decoder.inputs["position"] = model_.NewBuffer(kInt32, {positions});
  decoder.inputs["mask"] = model_.NewBuffer(kFloat32, {1, 1, 1, cache_rows});
  for (const StateTensor& tensor : hypotheses_) {
    const litert::Shape shape = tensor.Sizes(rows, cache_rows);
    litert::Buffer& now = decoder.inputs[tensor.name] = model_.NewBuffer(kFloat32, shape);
    // What grows is written in place: one buffer is both input and output.
    decoder.outputs["new_" + tensor.name] =
        tensor.grows() ? now : model_.NewBuffer(kFloat32, shape);
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

void Session::Continue(const Decoder& old, const std::vector<int32_t>& rows) {
  const Decoder& decoder = decoders_.front();
  const litert::Buffer& mask = decoder.inputs.at("mask");
  std::fill_n(mask.floats(), mask.elements(), kMasked);
  std::fill_n(mask.floats(), *std::max_element(positions_.begin(), positions_.end()), 0.0f);
  for (const StateTensor& tensor : hypotheses_) {
    const View source(tensor, old.inputs.at(tensor.name), old.cache_rows);
    const View target(tensor, decoder.inputs.at(tensor.name), decoder.cache_rows);
    for (size_t row = 0; row < rows.size(); ++row) {
      const auto to = static_cast<int32_t>(row);
      CopyRow(source, rows[row], PositionOf(to), target, to);
    }
  }
}

// Goes on in a longer cache.
void Session::Grow() {
  const Decoder old = decoders_.front();
  UseDecoder(2 * old.cache_rows, old.top);
  std::vector<int32_t> rows(static_cast<size_t>(old.rows));
  std::iota(rows.begin(), rows.end(), 0);
  Continue(old, rows);
}

}  // namespace tfcompress
