#include "runtime/translator.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "common/error.h"
#include "runtime/batch.h"
#include "runtime/characters.h"
#include "runtime/generation.h"
#include "runtime/ids.h"
#include "runtime/splitting.h"
#include "runtime/target_codes.h"
#include "runtime/translation_chain.h"
#include "tokenizer/unicode.h"

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

std::vector<int32_t> WithEnd(std::vector<int32_t> ids, int32_t eos) {
  ids.push_back(eos);
  return ids;
}

std::optional<Tokenizer> Load(const std::optional<Bytes>& bytes, int32_t vocabulary) {
  if (!bytes) return std::nullopt;
  return Tokenizer::Parse(bytes->data(), bytes->size(), vocabulary);
}

bool HasOneTokenizer(const TranslationBundle& bundle) {
  return bundle.source_tokenizer && bundle.target_tokenizer &&
         bundle.source_tokenizer->data() == bundle.target_tokenizer->data() &&
         bundle.source_vocabulary == bundle.target_vocabulary;
}

// Spans of bytes of a text as spans of its characters.
std::vector<TextSpan> InCharacters(const std::vector<TokenSpan>& spans, std::string_view text) {
  std::vector<size_t> places(text.size() + 1);
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = i + 1 == text.size() || (static_cast<uint8_t>(text[i + 1]) & 0xC0) != 0x80;
    places[i + 1] = places[i] + (begins ? 1 : 0);
  }
  std::vector<TextSpan> converted;
  for (const TokenSpan& span : spans) {
    converted.push_back(
        {places[std::min(span.begin, text.size())], places[std::min(span.end, text.size())]});
  }
  return converted;
}

}  // namespace

Translator::Translator(const litert::Api& api, TranslationBundle bundle, int num_threads,
                       litert::Profile* profile)
    : bundle_(std::move(bundle)),
      source_(Load(bundle_.source_tokenizer, bundle_.source_vocabulary)),
      target_(HasOneTokenizer(bundle_) ? source_
                                       : Load(bundle_.target_tokenizer, bundle_.target_vocabulary)),
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

void Translator::CheckBatchSize(int32_t batch_size) const {
  if (batch_size >= 1 && batch_size <= 1024) return;
  throw Error(Code::kInvalidArgument, "`batch_size` must be from 1 to 1024",
              std::to_string(batch_size), "Give another");
}

Translations Translator::Translate(std::string_view text, const SearchOptions& options) {
  return TranslateText({this}, text, options);
}

Translations Translator::TranslateIds(const Ids& ids, const SearchOptions& options) {
  return TranslateIdsBatch({ids}, options, 1)[0];
}

std::vector<Translations> Translator::TranslateIdsBatch(const std::vector<Ids>& sentences,
                                                        const SearchOptions& options,
                                                        int32_t batch_size) {
  CheckOptions(options);
  CheckBatchSize(batch_size);
  Begin();
  const Heeded heeded = HeededOf(options.constraints);
  std::vector<SourcePart> parts;
  for (const Ids& ids : sentences) parts.push_back({"", "", 0, CheckedSource(ids)});
  std::vector<HeedingPart> heeding;
  for (const SourcePart& part : parts) {
    if (!part.ids.empty()) heeding.push_back({&part, &heeded});
  }
  auto translated = TranslateParts(heeding, options, batch_size);
  auto next = translated.begin();
  std::vector<Translations> all;
  for (const SourcePart& part : parts) {
    Translations& translations = all.emplace_back();
    if (part.ids.empty()) {
      translations.best.push_back({{{}, 0, 0}, std::nullopt});
      continue;
    }
    for (TranslatedPart& one : *next++) {
      translations.best.push_back({std::move(one.hypothesis), std::nullopt});
    }
  }
  return all;
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
  Ids ids = target_->EncodeWithoutAffixes(text);
  if (std::any_of(ids.begin(), ids.end(), [&](int32_t id) { return target_->IsUnknown(id); })) {
    throw Error(Code::kInvalidArgument,
                "`target_prefix` must have characters of the bundle's target tokenizer", "others",
                "Spell it otherwise");
  }
  return ids;
}

std::string Translator::KnownCode(std::string_view line) const {
  const std::string code = TargetCode(line);
  for (const int32_t id : source_->EncodeWithoutAffixes(code)) {
    const std::string piece = source_->Surface(id);
    if (piece == code || piece == " " + code) return code;
  }
  return "";
}

// A text whose place is not known yet.
SourcePart Translator::PartOf(const std::string& text, const std::string& code) const {
  const std::string coded = WithCode(code, text);
  if (!bundle_.gives_alignments) return {"", text, 0, source_->Encode(coded), code};
  std::vector<TokenSpan> spans;
  SourcePart part = {"", text, 0, source_->Encode(coded, &spans), code};
  part.tokens = InCharacters(spans, coded);
  // What stands around the text is nowhere in it.
  const size_t added = ToCharacters(coded).size() - ToCharacters(text).size();
  for (TextSpan& span : part.tokens) {
    span = {span.begin - std::min(span.begin, added), span.end - std::min(span.end, added)};
  }
  return part;
}

// None if the text is blank, one if it is a line that fits.
std::vector<SourcePart> Translator::Parts(std::string_view text, const SearchOptions& options,
                                          std::string* code) const {
  RequireTokenizer();
  const std::u32string characters = ToCharacters(text);
  std::vector<SourcePart> parts;
  size_t at = 0;
  std::string skipped;
  for (const Part& line : options.split_sentences ? SplitSentences(text) : SplitLines(text)) {
    const std::string own_code = KnownCode(line.text);
    if (!own_code.empty()) {
      *code = own_code;
      if (IsBlank(std::string_view(line.text).substr(own_code.size()))) {
        skipped += line.breaks;
        continue;
      }
    }
    std::string breaks = parts.empty() ? "" : skipped + line.breaks;
    skipped.clear();
    const auto add = [&](SourcePart part) {
      if (part.ids.empty()) return;
      const std::u32string own = ToCharacters(part.text);
      part.begin = characters.find(own, at);
      at = part.begin + own.size();
      part.breaks = std::exchange(breaks, "");
      parts.push_back(std::move(part));
    };
    SourcePart whole = PartOf(line.text, *code);
    if (Fits(whole.ids.size())) {
      add(std::move(whole));
      continue;
    }
    std::optional<std::vector<std::string>> texts;
    if (options.split) {
      texts = SplitText(line.text, [&](std::string_view part) {
        return Fits(source_->Encode(WithCode(*code, part)).size());
      });
    }
    if (!texts) FailTooLong(whole.ids.size(), "Shorten it, or let it be split");
    for (const std::string& part : *texts) add(PartOf(part, *code));
  }
  return parts;
}

Heeded Translator::HeededOf(const Constraints& constraints) const {
  Heeded heeded = {constraints.target_prefix, Bans(constraints, target_ ? &*target_ : nullptr)};
  heeded.bans.CheckPrefix(heeded.prefix);
  return heeded;
}

std::vector<TranslatedPart> Translator::TranslatePart(const SourcePart& part,
                                                      const SearchOptions& options,
                                                      const Heeded& heeded) {
  const std::unique_ptr<Search> search = NewSearch(part.ids.size(), options, heeded);
  session_.Encode(WithEnd(part.ids, bundle_.ids.eos), heeded.prefix);
  Prompted stepper(&session_, bundle_.ids.bos, bundle_.target_prefix);
  std::vector<Hypothesis> hypotheses = Run(search.get(), &stepper);
  Add(session_.timings(), &timings_);
  return Translated(part, options, std::move(hypotheses));
}

std::vector<std::vector<TranslatedPart>> Translator::TranslateParts(
    const std::vector<HeedingPart>& parts, const SearchOptions& options, int32_t batch_size) {
  const auto finished = [this] {
    if (progress_ != nullptr && progress_->parts() > 0) progress_->FinishPart(nullptr);
  };
  std::vector<std::vector<TranslatedPart>> translated;
  if (batch_size == 1) {
    for (const auto& [part, heeded] : parts) {
      translated.push_back(TranslatePart(*part, options, *heeded));
      finished();
    }
    return translated;
  }
  std::vector<BatchSentence> sentences;
  for (const auto& [part, heeded] : parts) {
    sentences.push_back({WithEnd(part->ids, bundle_.ids.eos), heeded->prefix,
                         NewSearch(part->ids.size(), options, *heeded)});
  }
  std::vector<BatchSentence*> pointers;
  for (BatchSentence& sentence : sentences) pointers.push_back(&sentence);
  Ids prompt = {bundle_.ids.bos};
  prompt.insert(prompt.end(), bundle_.target_prefix.begin(), bundle_.target_prefix.end());
  RunBatch(&session_, prompt, batch_size, pointers, finished);
  Add(session_.timings(), &timings_);
  for (size_t i = 0; i < parts.size(); ++i) {
    translated.push_back(Translated(*parts[i].part, options, sentences[i].search->Take()));
  }
  return translated;
}

std::vector<TranslatedPart> Translator::Translated(const SourcePart& part,
                                                   const SearchOptions& options,
                                                   std::vector<Hypothesis> hypotheses) const {
  const auto wanted = static_cast<size_t>(options.n_best);
  if (hypotheses.size() > wanted) hypotheses.resize(wanted);
  std::vector<TranslatedPart> translated;
  for (Hypothesis& hypothesis : hypotheses) {
    TranslatedPart one = {std::move(hypothesis), ""};
    if (target_ && !part.text.empty()) AddText(part, &one);
    translated.push_back(std::move(one));
  }
  return translated;
}

// Adds the text of a translation, and where its tokens are.
void Translator::AddText(const SourcePart& part, TranslatedPart* translated) const {
  const Hypothesis& hypothesis = translated->hypothesis;
  std::vector<TokenSpan> spans;
  translated->text = target_->Decode(Known(hypothesis.ids), &spans);
  if (hypothesis.alignments.empty()) return;
  translated->target_tokens = InCharacters(spans, translated->text);
  translated->source_tokens = part.tokens;
  const auto& [width, weights] = hypothesis.alignments[0];
  for (size_t row = 0; row <= hypothesis.ids.size(); ++row) {
    if (row < hypothesis.ids.size() && hypothesis.ids[row] >= target_->size()) continue;
    const auto first = weights.begin() + static_cast<ptrdiff_t>(row * width);
    translated->weights.insert(translated->weights.end(), first,
                               first + static_cast<ptrdiff_t>(width));
  }
}

std::unique_ptr<Search> Translator::NewSearch(size_t num_ids, const SearchOptions& options,
                                              const Heeded& heeded) const {
  const auto length = static_cast<int32_t>(num_ids);
  int32_t limit = std::min(Longest(), 2 * (length + 1) + 16);
  if (options.max_length > 0) limit = std::min(limit, options.max_length);
  if (heeded.prefix.size() >= static_cast<size_t>(limit)) {
    throw Error(Code::kInvalidArgument, "`target_prefix` must leave room for the end mark",
                std::to_string(heeded.prefix.size()) + " tokens, limit=" + std::to_string(limit),
                "Shorten it");
  }
  if (options.beam_size == 1 && !options.with_scores) {
    return NewGreedySearch(bundle_.ids, limit, heeded);
  }
  return NewBeamSearch(bundle_.ids, limit, options.beam_size, options.length_penalty, heeded);
}

// A model's vocabulary may be padded beyond the tokenizer's.
Translator::Ids Translator::Known(const Ids& ids) const {
  Ids known;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(known),
               [this](int32_t id) { return id < target_->size(); });
  return known;
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
