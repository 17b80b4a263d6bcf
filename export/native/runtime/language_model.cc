#include "runtime/language_model.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "common/error.h"
#include "runtime/characters.h"
#include "runtime/ids.h"
#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

constexpr double kMostTemperature = 100;
constexpr int32_t kMostBeams = 1000;
constexpr double kMostPenalty = 10;

[[noreturn]] void Refuse(const std::string& cause, const std::string& received,
                         const std::string& remedy) {
  throw Error(Error::Code::kInvalidArgument, cause, received, remedy);
}

void CheckOptions(const GenerationOptions& options) {
  const auto require = [](bool holds, const std::string& name, auto value, const char* range) {
    if (holds) return;
    Refuse("`" + name + "` must be " + range, name + "=" + std::to_string(value), "Give another");
  };
  require(options.max_tokens >= 1, "max_tokens", options.max_tokens, "at least 1");
  require(options.beam_size >= 1 && options.beam_size <= kMostBeams, "beam_size", options.beam_size,
          "from 1 to 1000");
  require(options.n_best >= 1 && options.n_best <= options.beam_size, "n_best", options.n_best,
          "from 1 to `beam_size`");
  require(options.top_k >= 0, "top_k", options.top_k, "at least 1, or 0 for all tokens");
  require(std::abs(options.length_penalty) <= kMostPenalty, "length_penalty",
          options.length_penalty, "from -10 to 10");
  require(options.temperature >= 0 && options.temperature <= kMostTemperature, "temperature",
          options.temperature, "from 0 to 100");
  if (options.temperature > 0 && options.beam_size > 1) {
    Refuse("Beam search draws no tokens", "a temperature and a beam", "Give one of them");
  }
}

void CheckRow(const std::vector<int32_t>& row, const LanguageModelBundle& bundle) {
  CheckRange(row, bundle.target_vocabulary, "Ids of the vocabulary",
             "Use the tokenizer of this bundle");
  RefuseId(row, bundle.ids.pad, "padding");
  RefuseId(row, bundle.ids.bos, "the begin id");
}

bool StartsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

}  // namespace

LanguageModel::LanguageModel(const litert::Api& api, LanguageModelBundle bundle, int num_threads,
                             litert::Profile* profile)
    : bundle_(std::move(bundle)), session_(api, bundle_, num_threads, profile) {
  if (bundle_.tokenizer) {
    tokenizer_ = Tokenizer::Parse(bundle_.tokenizer->data(), bundle_.tokenizer->size());
  }
}

std::vector<Hypothesis> LanguageModel::Generate(const Ids& prompt,
                                                const GenerationOptions& options) {
  if (options.beam_size > 1) {
    const int32_t limit = CheckedLimit(prompt, options);
    generation_.reset();
    Prompted stepper(&session_, bundle_.ids.bos, prompt);
    // The end id is one more token.
    const Heeded nothing;
    const std::unique_ptr<Search> search =
        NewBeamSearch(bundle_.ids, limit + 1, options.beam_size, options.length_penalty, nothing);
    std::vector<Hypothesis> best = Run(search.get(), &stepper);
    best.resize(std::min(best.size(), static_cast<size_t>(options.n_best)));
    return best;
  }
  Begin(prompt, options);
  Hypothesis hypothesis = {{}, 0, 0};
  int32_t count = 0;
  while (const std::optional<GeneratedToken> token = Next()) {
    hypothesis.log_probability += token->log_probability;
    hypothesis.token_ids.push_back(token->id);
    hypothesis.token_scores.push_back(token->log_probability);
    ++count;
    if (token->id != bundle_.ids.eos) hypothesis.ids.push_back(token->id);
  }
  hypothesis.score =
      hypothesis.log_probability / std::pow(static_cast<double>(count), options.length_penalty);
  return {std::move(hypothesis)};
}

void LanguageModel::Begin(const Ids& prompt, const GenerationOptions& options) {
  const int32_t limit = CheckedLimit(prompt, options);
  if (options.beam_size > 1) {
    Refuse("Beam search has no next token", "a beam above 1", "Give 1");
  }
  generation_.emplace(&session_, bundle_.ids, prompt, limit, options);
}

std::optional<GeneratedToken> LanguageModel::Next() {
  return generation_ ? generation_->Next() : std::nullopt;
}

std::vector<float> LanguageModel::Score(const Ids& row) {
  CheckRow(row, bundle_);
  if (row.empty()) Refuse("A text must have ids", "none", "Give some");
  std::vector<float> scores;
  const auto most = static_cast<size_t>(bundle_.max_target_length);
  for (size_t first = 0; first < row.size(); first += most) {
    const auto begin = row.begin() + static_cast<ptrdiff_t>(first);
    const auto count = static_cast<ptrdiff_t>(std::min(most, row.size() - first));
    const std::vector<float> part = session_.Score({begin, begin + count}, bundle_.ids.bos);
    scores.insert(scores.end(), part.begin(), part.end());
  }
  return scores;
}

std::vector<float> LanguageModel::Logits(const Ids& row) {
  CheckRow(row, bundle_);
  if (row.size() >= static_cast<size_t>(bundle_.max_target_length)) {
    FailTooLong(row.size() + 1, "the end mark", bundle_.max_target_length, "Shorten it");
  }
  generation_.reset();
  return session_.Logits(row, bundle_.ids.bos);
}

LanguageModel::Ids LanguageModel::Tokenize(std::string_view text) const {
  if (!tokenizer_) FailWithoutTokenizer(bundle_.name);
  CheckUtf8(text);
  return tokenizer_->Encode(text);
}

std::optional<std::string> LanguageModel::Continuation(std::string_view text, const Ids& prompt,
                                                       const Ids& added) const {
  if (!tokenizer_) return std::nullopt;
  Ids all = prompt;
  all.insert(all.end(), added.begin(), added.end());
  const std::string before = Decode(prompt), whole = Decode(all);
  std::string rest = StartsWith(whole, before) ? whole.substr(before.size()) : Decode(added);
  // The space that the prompt ends with is no token.
  const std::u32string characters = ToCharacters(text);
  const bool is_spaced = !characters.empty() && Properties(characters.back()).is_space();
  if (is_spaced && StartsWith(rest, " ")) rest.erase(0, 1);
  return rest;
}

// The most tokens to add, so that the text with its end mark is within the limit.
int32_t LanguageModel::CheckedLimit(const Ids& prompt, const GenerationOptions& options) const {
  CheckOptions(options);
  CheckRow(prompt, bundle_);
  RefuseId(prompt, bundle_.ids.eos, "the end id");
  const auto most = static_cast<size_t>(bundle_.max_target_length);
  if (prompt.size() + 2 > most) {
    FailTooLong(prompt.size() + 2, "what follows and the end mark", bundle_.max_target_length,
                "Shorten it");
  }
  return std::min(options.max_tokens, static_cast<int32_t>(most - prompt.size() - 1));
}

std::string LanguageModel::Decode(const Ids& ids) const {
  // A model's vocabulary may be padded beyond the tokenizer's.
  Ids known;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(known),
               [this](int32_t id) { return id < tokenizer_->size(); });
  return tokenizer_->Decode(known);
}

}  // namespace tfcompress
