#ifndef TFCOMPRESS_RUNTIME_TRANSLATOR_H_
#define TFCOMPRESS_RUNTIME_TRANSLATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "litert/api.h"
#include "runtime/constraints.h"
#include "runtime/search.h"
#include "runtime/session.h"
#include "runtime/tag_placement.h"
#include "runtime/translation_bundle.h"
#include "tokenizer/tokenizer.h"

namespace tfcompress {

// How to search.
struct SearchOptions {
  int32_t beam_size = 1;
  int32_t n_best = 1;
  int32_t max_length = 0;  // 0: the bundle's limit.
  bool split = true;       // Whether text beyond the bundle's limit is split; else an error.
  bool with_scores = false;
  double length_penalty = 1;
  Constraints constraints = {};
  bool split_sentences = false;  // Whether each sentence is translated by itself.
  bool markup = false;           // Whether texts have tags.
};

// A hypothesis and its text, where there is a tokenizer.
struct Translation {
  Hypothesis hypothesis;
  std::optional<std::string> text;
};

// A part of a text, and where it is in its line or segment, in characters.
struct SourcePart {
  std::string breaks;  // The line breaks or space before it.
  std::string text;
  size_t begin;
  std::vector<int32_t> ids;
  // The code of the language that it is translated to, which is put before it where it does not
  // begin with one; or "".
  std::string code = {};
  // Where the tokens of its ids are in it, where the bundle gives alignments.
  std::vector<TextSpan> tokens = {};
};

// The translation of a part.
struct TranslatedPart {
  Hypothesis hypothesis;
  std::string text;
  // Where tokens are, in characters, and how they are aligned, [target + 1, source + 1], the last
  // of each being the end mark; empty where the bundle gives no alignments.
  std::vector<TextSpan> source_tokens = {};
  std::vector<TextSpan> target_tokens = {};
  std::vector<double> weights = {};
};

// The translations of one text, best first.
struct Translations {
  std::vector<Translation> best;
  size_t parts = 1;  // How many parts the text was translated in.
};

// Translates text with a bundle. Gives what the Python runtime gives.
class Translator {
 public:
  // Throws Error if the bundle needs operations that are unavailable, or does not load. What
  // LiteRT's operations take is added to `profile`, unless it is null.
  Translator(const litert::Api& api, TranslationBundle bundle, int num_threads,
             litert::Profile* profile = nullptr);

  // Throws Error (kInvalidArgument) for impossible options, and where the bundle lacks what they
  // need.
  void CheckOptions(const SearchOptions& options) const;
  void CheckBatchSize(int32_t batch_size) const;

  // Throw Error (kInvalidArgument) for impossible options, text that is not UTF-8 or too long, ids
  // outside the vocabulary or special ones elsewhere than an end id and padding at the end, and
  // text where the bundle has no tokenizers.
  Translations Translate(std::string_view text, const SearchOptions& options);
  Translations TranslateIds(const std::vector<int32_t>& ids, const SearchOptions& options);
  // The same of several sentences, side by side.
  std::vector<Translations> TranslateIdsBatch(const std::vector<std::vector<int32_t>>& sentences,
                                              const SearchOptions& options, int32_t batch_size);
  // The logits of all tokens after every prefix of a target: [target.size() + 1, vocabulary].
  std::vector<float> Logits(const std::vector<int32_t>& ids, const std::vector<int32_t>& target);
  std::vector<int32_t> Tokenize(std::string_view text) const;
  // The ids of a text that translations begin with.
  std::vector<int32_t> PrefixIds(std::string_view text) const;

  // What text is made of, and a part's translations, best first, with checked options. `code` is
  // that of the text before, or "", and becomes that of the text after. Timings are summed since
  // Begin.
  void Begin() { timings_ = {}; }
  const Tokenizer& RequireTokenizer() const;
  std::vector<SourcePart> Parts(std::string_view text, const SearchOptions& options,
                                std::string* code) const;
  std::vector<TranslatedPart> TranslatePart(const SourcePart& part, const SearchOptions& options,
                                            const Heeded& heeded);
  // Those of several parts, at most `batch_size` of them decoded side by side: what each has alone.
  struct HeedingPart {
    const SourcePart* part;
    const Heeded* heeded;
  };
  std::vector<std::vector<TranslatedPart>> TranslateParts(const std::vector<HeedingPart>& parts,
                                                          const SearchOptions& options,
                                                          int32_t batch_size);
  Heeded HeededOf(const Constraints& constraints) const;

  // Lets the steps of its decoder tell of themselves, and the parts of texts that it is the first
  // to translate, until null is given.
  void Follow(Progress* progress) {
    progress_ = progress;
    session_.Follow(progress);
  }
  Progress* progress() const { return progress_; }
  Cancellation& cancellation() { return session_.cancellation(); }

  const TranslationBundle& bundle() const { return bundle_; }
  // Of the text that was translated last.
  const Timings& timings() const { return timings_; }

 private:
  using Ids = std::vector<int32_t>;

  Ids CheckedSource(const Ids& ids) const;
  SourcePart PartOf(const std::string& text, const std::string& code) const;
  // The search of a sentence of so many ids.
  std::unique_ptr<Search> NewSearch(size_t num_ids, const SearchOptions& options,
                                    const Heeded& heeded) const;
  std::vector<TranslatedPart> Translated(const SourcePart& part, const SearchOptions& options,
                                         std::vector<Hypothesis> hypotheses) const;
  void AddText(const SourcePart& part, TranslatedPart* translated) const;
  Ids Known(const Ids& ids) const;
  // The code that a line begins with, if it is one of the tokenizer's pieces; or "".
  std::string KnownCode(std::string_view line) const;
  bool Fits(size_t num_ids) const;
  // The most tokens of a target, the end mark included.
  int32_t Longest() const;
  [[noreturn]] void FailTooLong(size_t num_ids, const char* remedy) const;

  TranslationBundle bundle_;
  std::optional<Tokenizer> source_;
  std::optional<Tokenizer> target_;
  Session session_;
  Timings timings_;
  Progress* progress_ = nullptr;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TRANSLATOR_H_
