#include "runtime/text_encoder.h"

#include <algorithm>
#include <utility>

#include "common/error.h"
#include "runtime/ids.h"
#include "runtime/recent.h"

namespace tfcompress {
namespace {

using Code = Error::Code;
using litert::kFloat32;
using litert::kInt32;

constexpr size_t kKeptLengths = 8;

std::optional<TextTokenizer> Load(const TextEncoderBundle& bundle) {
  if (!bundle.tokenizer) return std::nullopt;
  std::vector<std::string_view> files;
  for (const Bytes& bytes : bundle.tokenizer_files) files.push_back(bytes.text());
  TextTokenizer tokenizer = TextTokenizer::Parse(*bundle.tokenizer, files);
  if (tokenizer.size() > bundle.vocabulary) {
    throw Error(Code::kBadBundle, "The tokenizer has more pieces than the model",
                bundle.name + " with " + std::to_string(tokenizer.size()) + " and " +
                    std::to_string(bundle.vocabulary),
                kCopyAgain);
  }
  return tokenizer;
}

litert::Shape ShapeOf(const EncoderOutput& output, int32_t length) {
  if (output.per_token) return {1, length, output.width};
  return {1, output.width};
}

}  // namespace

TextEncoder::TextEncoder(const litert::Api& api, TextEncoderBundle bundle, int num_threads,
                         litert::Profile* profile)
    : bundle_(std::move(bundle)),
      tokenizer_(Load(bundle_)),
      model_(api, bundle_.name, bundle_.model, num_threads, profile),
      signature_(model_.Find("encode")),
      inputs_({"token_ids"}) {
  if (bundle_.token_types > 0) inputs_.emplace_back("token_type_ids");
  litert::Specs inputs, outputs;
  for (const std::string& name : inputs_) inputs[name] = {kInt32, {1, -1}};
  for (const auto& [name, output] : bundle_.outputs) {
    outputs[name] = {kFloat32, ShapeOf(output, -1)};
  }
  signature_.Expect(inputs, outputs);
}

std::vector<int32_t> TextEncoder::Tokenize(std::string_view text) const {
  if (!tokenizer_) FailWithoutTokenizer(bundle_.name);
  CheckUtf8(text);
  std::vector<int32_t> ids = tokenizer_->Encode(text);
  ids.insert(ids.begin(), tokenizer_->settings().start_id);
  ids.push_back(tokenizer_->settings().end_id);
  return ids;
}

std::vector<int32_t> TextEncoder::Fitting(std::string_view text, bool cut) const {
  std::vector<int32_t> ids = Tokenize(text);
  const auto limit = static_cast<size_t>(bundle_.max_length);
  if (ids.size() <= limit) return ids;
  if (!cut || limit < 2) FailTooLong(ids.size(), "Shorten it, or let it be cut");
  ids[limit - 1] = ids.back();
  ids.resize(limit);
  return ids;
}

Encoding TextEncoder::Run(const std::vector<int32_t>& ids, const std::vector<int32_t>& types) {
  CheckIds(ids, types);
  const Kept& kept = Use(static_cast<int32_t>(ids.size()));
  std::copy(ids.begin(), ids.end(), kept.inputs.at("token_ids").integers());
  if (bundle_.token_types > 0) {
    const litert::Buffer& buffer = kept.inputs.at("token_type_ids");
    std::fill_n(buffer.integers(), buffer.elements(), 0);
    std::copy(types.begin(), types.end(), buffer.integers());
  }
  signature_.Bind(kept.inputs, kept.outputs);
  signature_.Run();
  Encoding encoding;
  for (const auto& [name, output] : bundle_.outputs) {
    const litert::Buffer& buffer = kept.outputs.at(name);
    const auto width = static_cast<size_t>(output.width);
    encoding[name] = {
        buffer.elements() / width, width, {buffer.floats(), buffer.floats() + buffer.elements()}};
  }
  return encoding;
}

void TextEncoder::CutPadding(std::vector<int32_t>* ids, std::vector<int32_t>* types) const {
  if (!types->empty() && types->size() != ids->size()) {
    throw Error(Code::kInvalidArgument, "Every id must have a token type",
                std::to_string(types->size()) + " for " + std::to_string(ids->size()) + " ids",
                "Give as many");
  }
  *ids = WithoutPadding(std::move(*ids), bundle_.pad);
  if (!types->empty()) types->resize(ids->size());
}

void TextEncoder::CheckIds(const std::vector<int32_t>& ids,
                           const std::vector<int32_t>& types) const {
  if (ids.empty()) {
    throw Error(Code::kInvalidArgument, "A text needs ids", "none", "Give at least begin and end");
  }
  if (ids.size() > static_cast<size_t>(bundle_.max_length)) FailTooLong(ids.size(), "Shorten it");
  CheckRange(ids, bundle_.vocabulary, "Ids of the vocabulary", "Use the tokenizer of this bundle");
  if (types.empty()) return;
  if (bundle_.token_types == 0) {
    throw Error(Code::kInvalidArgument, "The model has no token types", bundle_.name,
                "Leave them out");
  }
  CheckRange(types, bundle_.token_types, "Token types", "Give others");
}

void TextEncoder::FailTooLong(size_t num_ids, const char* remedy) const {
  tfcompress::FailTooLong(num_ids, "begin and end", bundle_.max_length, remedy);
}

const TextEncoder::Kept& TextEncoder::Use(int32_t length) {
  for (const std::string& name : inputs_) signature_.Resize(name, {1, length});
  return Recent(
      &kept_, kKeptLengths, [&](const Kept& kept) { return kept.length == length; },
      [&] {
        Kept kept{length, {}, {}};
        for (const std::string& name : inputs_) {
          kept.inputs[name] = model_.NewBuffer(kInt32, {1, length});
        }
        for (const auto& [name, output] : bundle_.outputs) {
          kept.outputs[name] = model_.NewBuffer(kFloat32, ShapeOf(output, length));
        }
        return kept;
      });
}

}  // namespace tfcompress
