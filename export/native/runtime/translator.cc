#include "runtime/translator.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"
#include "runtime/ids.h"

namespace tfcompress {
namespace {

using Code = Error::Code;

void CheckOptions(const SearchOptions& options) {
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
}

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
  if (target.size() >= static_cast<size_t>(bundle_.max_target_length)) {
    tfcompress::FailTooLong(target.size() + 1, "the end mark", bundle_.max_target_length,
                            "Shorten the target");
  }
  source.push_back(bundle_.ids.eos);
  session_.Encode(source);
  return session_.Logits(target, bundle_.ids.bos);
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
  for (const Source& source : sources) {
    hypotheses.push_back(Search(source.ids, options));
    count = std::min(count, hypotheses.back().size());
    Add(session_.timings(), &timings_);
  }
  Translations translations = {{}, sources.size()};
  for (size_t rank = 0; rank < count; ++rank) {
    translations.best.push_back(Join(sources, hypotheses, rank, options, decode));
  }
  return translations;
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
  std::vector<Hypothesis> hypotheses =
      BeamSearch(&session_, bundle_.ids, limit, options.beam_size, options.length_penalty);
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
  for (size_t i = 0; i < sources.size(); ++i) {
    const Hypothesis& one = hypotheses[i][rank];
    whole.ids.insert(whole.ids.end(), one.ids.begin(), one.ids.end());
    whole.log_probability += one.log_probability;
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
