#include "runtime/translator.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"
#include "runtime/splitting.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

using Code = Error::Code;

void CheckOptions(const SearchOptions& options) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw Error(Code::kInvalidArgument, message);
  };
  const std::string beam = "beam_size=" + std::to_string(options.beam_size);
  require(options.beam_size >= 1 && options.beam_size <= 1000, beam + "; give 1 to 1000");
  require(
      options.n_best >= 1 && options.n_best <= options.beam_size,
      "n_best=" + std::to_string(options.n_best) + " with " + beam + "; give 1 to the beam's size");
  require(options.max_length >= 0, "max_length=" + std::to_string(options.max_length) +
                                       "; give 0 for the bundle's limit, or at least 1");
  require(std::abs(options.length_penalty) <= 10,
          "length_penalty=" + std::to_string(options.length_penalty) +
              "; give a number from -10 to 10");
}

std::optional<Tokenizer> Load(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return Tokenizer::Parse(bytes->data(), bytes->size());
}

}  // namespace

Translator::Translator(const litert::Api& api, Bundle bundle, int num_threads,
                       litert::Profile* profile)
    : bundle_(std::move(bundle)),
      source_(Load(bundle_.source_tokenizer)),
      target_(Load(bundle_.target_tokenizer)),
      session_(api, bundle_, num_threads, profile) {}

std::vector<Translation> Translator::Translate(std::string_view text,
                                               const SearchOptions& options) {
  CheckOptions(options);
  std::vector<std::vector<Hypothesis>> found;
  for (const Ids& ids : Parts(text, options)) found.push_back(Search(ids, options));
  return Join(found, options, true);
}

std::vector<Translation> Translator::TranslateIds(const Ids& ids, const SearchOptions& options) {
  CheckOptions(options);
  CheckIds(ids, bundle_.source_vocabulary);
  if (!Fits(ids.size())) FailTooLong(ids.size(), "shorten or split it");
  std::vector<std::vector<Hypothesis>> found;
  if (!ids.empty()) found.push_back(Search(ids, options));
  return Join(found, options, false);
}

std::vector<float> Translator::Logits(const Ids& ids, const Ids& target) {
  CheckIds(ids, bundle_.source_vocabulary);
  CheckIds(target, bundle_.target_vocabulary);
  if (!Fits(ids.size())) FailTooLong(ids.size(), "shorten or split it");
  if (target.size() >= static_cast<size_t>(bundle_.max_target_length)) {
    throw Error(Code::kInvalidArgument,
                std::to_string(target.size()) + " target tokens, but the bundle's limit is " +
                    std::to_string(bundle_.max_target_length) + " with the end mark; shorten it");
  }
  Ids source = ids;
  source.push_back(bundle_.ids.eos);
  session_.Encode(source);
  return session_.Logits(target, bundle_.ids.bos);
}

void Translator::CheckIds(const Ids& ids, int32_t vocabulary) const {
  for (int32_t id : ids) {
    if (id < 0 || id >= vocabulary) {
      throw Error(Code::kInvalidArgument,
                  "id " + std::to_string(id) + " is outside the vocabulary's 0 to " +
                      std::to_string(vocabulary - 1) + "; use the tokenizer of this bundle");
    }
  }
}

std::vector<int32_t> Translator::Tokenize(std::string_view text) const {
  const Tokenizer& tokenizer = RequireTokenizer();
  const size_t invalid = FindInvalidUtf8(text);
  if (invalid != text.npos) {
    throw Error(Code::kInvalidArgument,
                "byte " + std::to_string(invalid) + " of the text is not UTF-8; convert it");
  }
  return tokenizer.Encode(text);
}

// The ids of the text's parts: none if it is blank, one list if it fits.
std::vector<Translator::Ids> Translator::Parts(std::string_view text,
                                               const SearchOptions& options) const {
  Ids ids = Tokenize(text);
  if (ids.empty()) return {};
  if (Fits(ids.size())) return {std::move(ids)};
  std::vector<std::string> texts;
  if (options.split) {
    texts = SplitText(text,
                      [this](std::string_view part) { return Fits(source_->Encode(part).size()); });
  }
  if (texts.empty()) FailTooLong(ids.size(), "shorten it, or let it be split");
  std::vector<Ids> parts;
  for (const std::string& part : texts) {
    parts.push_back(source_->Encode(part));
    if (parts.back().empty()) parts.pop_back();
  }
  return parts;
}

std::vector<Hypothesis> Translator::Search(Ids ids, const SearchOptions& options) {
  const auto length = static_cast<int32_t>(ids.size());
  int32_t limit = std::min(bundle_.max_target_length, 2 * (length + 1) + 16);
  if (options.max_length > 0) limit = std::min(limit, options.max_length);
  ids.push_back(bundle_.ids.eos);
  session_.Encode(ids);
  if (options.beam_size == 1 && !options.with_scores) {
    return {{GreedySearch(&session_, bundle_.ids, limit), 0, 0}};
  }
  std::vector<Hypothesis> found =
      BeamSearch(&session_, bundle_.ids, limit, options.beam_size, options.length_penalty);
  const auto wanted = static_cast<size_t>(options.n_best);
  if (found.size() > wanted) found.resize(wanted);
  return found;
}

// Joins the parts' best, second best and so on.
std::vector<Translation> Translator::Join(const std::vector<std::vector<Hypothesis>>& parts,
                                          const SearchOptions& options, bool decode) const {
  const auto text = [&](const Ids& ids) {
    return decode ? std::optional<std::string>(Decode(ids)) : std::nullopt;
  };
  size_t count = parts.empty() ? 0 : parts[0].size();
  for (const auto& part : parts) count = std::min(count, part.size());
  if (count == 0) return {{{{}, 0, 0}, text({})}};
  std::vector<Translation> joined;
  for (size_t rank = 0; rank < count; ++rank) {
    if (parts.size() == 1) {
      joined.push_back({parts[0][rank], text(parts[0][rank].ids)});
      continue;
    }
    Hypothesis whole = {{}, 0, 0};
    std::string words;
    for (const auto& part : parts) {
      const Hypothesis& one = part[rank];
      whole.ids.insert(whole.ids.end(), one.ids.begin(), one.ids.end());
      whole.log_probability += one.log_probability;
      const std::string decoded = decode ? Decode(one.ids) : "";
      words.append(words.empty() || decoded.empty() ? "" : " ").append(decoded);
    }
    const auto length = static_cast<double>(whole.ids.size() + parts.size());
    whole.score = whole.log_probability / std::pow(length, options.length_penalty);
    joined.push_back({std::move(whole), decode ? std::optional(words) : std::nullopt});
  }
  return joined;
}

std::string Translator::Decode(const Ids& ids) const {
  // A model's vocabulary may be padded beyond the tokenizer's.
  Ids known;
  for (int32_t id : ids) {
    if (id < target_->size()) known.push_back(id);
  }
  return target_->Decode(known);
}

bool Translator::Fits(size_t num_ids) const {
  return num_ids < static_cast<size_t>(bundle_.max_source_length);
}

void Translator::FailTooLong(size_t num_ids, const char* remedy) const {
  throw Error(Code::kInvalidArgument, std::to_string(num_ids + 1) +
                                          " tokens with the end mark, but the bundle's limit is " +
                                          std::to_string(bundle_.max_source_length) + "; " +
                                          remedy);
}

const Tokenizer& Translator::RequireTokenizer() const {
  if (!source_ || !target_) {
    throw Error(Code::kInvalidArgument,
                bundle_.name + ": the bundle has no tokenizers, so it takes ids only");
  }
  return *source_;
}

}  // namespace tfcompress
