#include "runtime/translator.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"
#include "runtime/generation.h"
#include "runtime/ids.h"

namespace tfcompress {
namespace {

using Code = Error::Code;

void Add(const Timings& timings, Timings* sum) {
  if (sum->steps == 0) sum->first_step_seconds = timings.first_step_seconds;
  sum->encode_seconds += timings.encode_seconds;
  sum->step_seconds += timings.step_seconds;
  sum->steps += timings.steps;
}

void CheckIds(const std::vector<int32_t>& ids, int32_t vocabulary) {
  CheckRange(ids, vocabulary, "Ids of the vocabulary", "Use the tokenizer of this bundle");
}

std::optional<Tokenizer> Load(const std::optional<Bytes>& bytes, int32_t vocabulary) {
  if (!bytes) return std::nullopt;
  return Tokenizer::Parse(bytes->data(), bytes->size(), vocabulary);
}

}  // namespace

Translator::Translator(const litert::Api& api, TranslationBundle bundle, int num_threads,
                       litert::Profile* profile)
    : bundle_(std::move(bundle)),
      source_(Load(bundle_.source_tokenizer, bundle_.source_vocabulary)),
      target_(Load(bundle_.target_tokenizer, bundle_.target_vocabulary)),
      session_(api, bundle_, num_threads, profile) {}

void Translator::CheckOptions(const SearchOptions& options) const {
  const auto require = [](bool holds, const char* name, auto value, const char* range) {
    if (holds) return;
    throw Error(Code::kInvalidArgument, "`" + std::string(name) + "` must be " + range,
                name + ("=" + std::to_string(value)), "Give another");
  };
  require(options.beam_size >= 1 && options.beam_size <= 1000, "beam_size", options.beam_size,
          "from 1 to 1000");
  require(options.n_best >= 1 && options.n_best <= options.beam_size, "n_best", options.n_best,
          "from 1 to `beam_size`");
  require(options.max_length >= 0, "max_length", options.max_length,
          "at least 1, or 0 for the bundle's limit");
  require(std::abs(options.length_penalty) <= 10, "length_penalty", options.length_penalty,
          "from -10 to 10");
  options.constraints.Check(bundle_);
  if (!options.constraints.banned_words.empty()) RequireTokenizer();
}

Translations Translator::Translate(std::string_view text, const SearchOptions& options) {
  CheckOptions(options);
  return Search(Sources(text, options), options, true);
}

Translations Translator::TranslateIds(const Ids& ids, const SearchOptions& options) {
  CheckOptions(options);
  const Ids source = CheckedSource(ids);
  std::vector<Source> sources;
  if (!source.empty()) sources.push_back({"", source});
  return Search(sources, options, false);
}

std::vector<float> Translator::Logits(const Ids& ids, const Ids& target) {
  Ids source = CheckedSource(ids);
  CheckIds(target, bundle_.target_vocabulary);
  if (target.size() >= static_cast<size_t>(Longest())) {
    tfcompress::FailTooLong(target.size() + 1, "the end mark", Longest(), "Shorten the target");
  }
  source.push_back(bundle_.ids.eos);
  session_.Encode(source);
  const Ids& prefix = bundle_.target_prefix;
  Ids forced = prefix;
  forced.insert(forced.end(), target.begin(), target.end());
  std::vector<float> logits = session_.Logits(forced, bundle_.ids.bos);
  const size_t hidden = prefix.size() * static_cast<size_t>(bundle_.target_vocabulary);
  logits.erase(logits.begin(), logits.begin() + static_cast<ptrdiff_t>(hidden));
  return logits;
}

// The ids of a sentence that a caller gave, without the end id and padding at their end.
Translator::Ids Translator::CheckedSource(const Ids& ids) const {
  CheckIds(ids, bundle_.source_vocabulary);
  Ids source = WithoutPadding(ids, bundle_.ids.pad);
  if (!source.empty() && source.back() == bundle_.ids.eos) source.pop_back();
  RefuseId(source, bundle_.ids.eos, "the end id");
  RefuseId(source, bundle_.ids.bos, "the begin id");
  if (!Fits(source.size())) FailTooLong(source.size(), "Shorten or split it");
  return source;
}

std::vector<int32_t> Translator::Tokenize(std::string_view text) const {
  const Tokenizer& tokenizer = RequireTokenizer();
  CheckUtf8(text);
  return tokenizer.Encode(text);
}

std::vector<int32_t> Translator::PrefixIds(std::string_view text) const {
  RequireTokenizer();
  CheckUtf8(text);
  Ids ids = target_->Encode(text);
  if (std::any_of(ids.begin(), ids.end(), [&](int32_t id) { return target_->IsUnknown(id); })) {
    throw Error(Code::kInvalidArgument,
                "`target_prefix` must have characters of the bundle's target tokenizer", "others",
                "Spell it otherwise");
  }
  return ids;
}

// The parts of a text: none if it is blank, one if it is a line that fits.
std::vector<Translator::Source> Translator::Sources(std::string_view text,
                                                    const SearchOptions& options) const {
  const Tokenizer& tokenizer = RequireTokenizer();
  CheckUtf8(text);
  std::vector<Source> sources;
  for (const Part& line : SplitLines(text)) {
    std::string breaks = line.breaks;
    const auto add = [&](Ids ids) {
      if (ids.empty()) return;
      sources.push_back({breaks, std::move(ids)});
      breaks.clear();
    };
    Ids ids = tokenizer.Encode(line.text);
    if (Fits(ids.size())) {
      add(std::move(ids));
      continue;
    }
    std::optional<std::vector<std::string>> texts;
    if (options.split) {
      texts = SplitText(line.text,
                        [&](std::string_view part) { return Fits(tokenizer.Encode(part).size()); });
    }
    if (!texts) FailTooLong(ids.size(), "Shorten it, or let it be split");
    for (const std::string& part : *texts) add(tokenizer.Encode(part));
  }
  return sources;
}

Translations Translator::Search(const std::vector<Source>& sources, const SearchOptions& options,
                                bool decode) {
  timings_ = {};
  if (sources.empty()) {
    return {{{{{}, 0, 0}, decode ? std::optional<std::string>("") : std::nullopt}}, 1};
  }
  std::vector<std::vector<Hypothesis>> hypotheses;
  size_t count = static_cast<size_t>(options.n_best);
  const Constraints& constraints = options.constraints;
  Heeded heeded = {constraints.target_prefix, Bans(constraints, target_ ? &*target_ : nullptr)};
  heeded.bans.CheckPrefix(heeded.prefix);
  for (const Source& source : sources) {
    hypotheses.push_back(Search(source.ids, options, heeded));
    // What a text begins with is in its first part.
    heeded.prefix.clear();
    count = std::min(count, hypotheses.back().size());
    Add(session_.timings(), &timings_);
  }
  Translations translations = {{}, sources.size()};
  for (size_t rank = 0; rank < count; ++rank) {
    translations.best.push_back(Join(sources, hypotheses, rank, options, decode));
  }
  return translations;
}

std::vector<Hypothesis> Translator::Search(Ids ids, const SearchOptions& options,
                                           const Heeded& heeded) {
  const auto length = static_cast<int32_t>(ids.size());
  int32_t limit = std::min(Longest(), 2 * (length + 1) + 16);
  if (options.max_length > 0) limit = std::min(limit, options.max_length);
  if (heeded.prefix.size() >= static_cast<size_t>(limit)) {
    throw Error(Code::kInvalidArgument, "`target_prefix` must leave room for the end mark",
                std::to_string(heeded.prefix.size()) + " tokens, limit=" + std::to_string(limit),
                "Shorten it");
  }
  ids.push_back(bundle_.ids.eos);
  session_.Encode(ids, heeded.prefix);
  Prompted stepper(&session_, bundle_.ids.bos, bundle_.target_prefix);
  if (options.beam_size == 1 && !options.with_scores) {
    return {{GreedySearch(&stepper, bundle_.ids, limit, heeded), 0, 0}};
  }
  std::vector<Hypothesis> hypotheses =
      BeamSearch(&stepper, bundle_.ids, limit, options.beam_size, options.length_penalty, heeded);
  const auto wanted = static_cast<size_t>(options.n_best);
  if (hypotheses.size() > wanted) hypotheses.resize(wanted);
  return hypotheses;
}

// Joins the parts' best, second best and so on.
Translation Translator::Join(const std::vector<Source>& sources,
                             const std::vector<std::vector<Hypothesis>>& hypotheses, size_t rank,
                             const SearchOptions& options, bool decode) const {
  Hypothesis whole = {{}, 0, 0};
  std::vector<Part> texts;
  for (const auto& part : hypotheses) whole.source_length += part[rank].source_length;
  size_t column = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    const Hypothesis& one = hypotheses[i][rank];
    whole.ids.insert(whole.ids.end(), one.ids.begin(), one.ids.end());
    whole.log_probability += one.log_probability;
    whole.token_ids.insert(whole.token_ids.end(), one.token_ids.begin(), one.token_ids.end());
    whole.token_scores.insert(whole.token_scores.end(), one.token_scores.begin(),
                              one.token_scores.end());
    // Each part with its own source.
    for (size_t first = 0; first < one.alignment.size(); first += one.source_length) {
      const auto row = one.alignment.begin() + static_cast<ptrdiff_t>(first);
      std::vector<float> wide(whole.source_length);
      std::copy_n(row, one.source_length, wide.begin() + static_cast<ptrdiff_t>(column));
      whole.alignment.insert(whole.alignment.end(), wide.begin(), wide.end());
    }
    column += one.source_length;
    if (decode) texts.push_back({sources[i].breaks, Decode(one.ids)});
  }
  const auto length = static_cast<double>(whole.ids.size() + sources.size());
  whole.score = sources.size() == 1
                    ? hypotheses[0][rank].score
                    : whole.log_probability / std::pow(length, options.length_penalty);
  return {std::move(whole), decode ? std::optional(JoinTexts(texts)) : std::nullopt};
}

std::string Translator::Decode(const Ids& ids) const {
  // A model's vocabulary may be padded beyond the tokenizer's.
  Ids known;
  for (int32_t id : ids) {
    if (id < target_->size()) known.push_back(id);
  }
  return target_->Decode(known);
}

int32_t Translator::Longest() const {
  return bundle_.max_target_length - static_cast<int32_t>(bundle_.target_prefix.size());
}

bool Translator::Fits(size_t num_ids) const {
  return num_ids < static_cast<size_t>(bundle_.max_source_length);
}

void Translator::FailTooLong(size_t num_ids, const char* remedy) const {
  tfcompress::FailTooLong(num_ids + 1, "the end mark", bundle_.max_source_length, remedy);
}

const Tokenizer& Translator::RequireTokenizer() const {
  if (!source_ || !target_) FailWithoutTokenizer(bundle_.name);
  return *source_;
}

}  // namespace tfcompress
