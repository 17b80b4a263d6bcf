#ifndef TFCOMPRESS_RUNTIME_TRANSLATOR_H_
#define TFCOMPRESS_RUNTIME_TRANSLATOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "litert/api.h"
#include "runtime/constraints.h"
#include "runtime/search.h"
#include "runtime/session.h"
#include "runtime/splitting.h"
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
};

// A hypothesis and its text, where there is a tokenizer.
struct Translation {
  Hypothesis hypothesis;
  std::optional<std::string> text;
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

  // Throw Error (kInvalidArgument) for impossible options, text that is not UTF-8 or too long, ids
  // outside the vocabulary or special ones elsewhere than an end id and padding at the end, and
  // text where the bundle has no tokenizers.
  Translations Translate(std::string_view text, const SearchOptions& options);
  Translations TranslateIds(const std::vector<int32_t>& ids, const SearchOptions& options);
  // The logits of all tokens after every prefix of a target: [target.size() + 1, vocabulary].
  std::vector<float> Logits(const std::vector<int32_t>& ids, const std::vector<int32_t>& target);
  std::vector<int32_t> Tokenize(std::string_view text) const;
  // The ids of a text that translations begin with.
  std::vector<int32_t> PrefixIds(std::string_view text) const;

  const TranslationBundle& bundle() const { return bundle_; }
  // Of the text that was translated last.
  const Timings& timings() const { return timings_; }

 private:
  using Ids = std::vector<int32_t>;

  // A part of a text: the line breaks before it, and its ids.
  struct Source {
    std::string breaks;
    Ids ids;
  };

  std::vector<Source> Sources(std::string_view text, const SearchOptions& options) const;
  Ids CheckedSource(const Ids& ids) const;
  Translations Search(const std::vector<Source>& sources, const SearchOptions& options,
                      bool decode);
  std::vector<Hypothesis> Search(Ids ids, const SearchOptions& options, const Heeded& heeded);
  Translation Join(const std::vector<Source>& sources,
                   const std::vector<std::vector<Hypothesis>>& hypotheses, size_t rank,
                   const SearchOptions& options, bool decode) const;
  std::string Decode(const Ids& ids) const;
  bool Fits(size_t num_ids) const;
  // The most tokens of a target, the end mark included.
  int32_t Longest() const;
  [[noreturn]] void FailTooLong(size_t num_ids, const char* remedy) const;
  const Tokenizer& RequireTokenizer() const;
  void CheckOptions(const SearchOptions& options) const;

  TranslationBundle bundle_;
  std::optional<Tokenizer> source_;
  std::optional<Tokenizer> target_;
  Session session_;
  Timings timings_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TRANSLATOR_H_
