#ifndef TFCOMPRESS_RUNTIME_LANGUAGE_MODEL_H_
#define TFCOMPRESS_RUNTIME_LANGUAGE_MODEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "litert/api.h"
#include "runtime/generation.h"
#include "runtime/language_model_bundle.h"
#include "runtime/session.h"
#include "tokenizer/tokenizer.h"

namespace tfcompress {

// Scores and continues texts with a bundle. Gives what the Python runtime gives.
class LanguageModel {
 public:
  using Ids = std::vector<int32_t>;

  // Throws Error if the bundle needs operations that are unavailable, or does not load. What
  // LiteRT's operations take is added to `profile`, unless it is null.
  LanguageModel(const litert::Api& api, LanguageModelBundle bundle, int num_threads,
                litert::Profile* profile = nullptr);

  // The continuations of a prompt, best first. All but `Next` throw Error (kInvalidArgument) for
  // impossible options, text that is not UTF-8, ids outside the vocabulary or special ones, and
  // what leaves no room.
  std::vector<Hypothesis> Generate(const Ids& prompt, const GenerationOptions& options);

  // Begins to continue a prompt token by token; anything else that is computed ends it.
  void Begin(const Ids& prompt, const GenerationOptions& options);
  // The next token, or none after the last.
  std::optional<GeneratedToken> Next();

  // Ends what was begun.
  void End() { generation_.reset(); }

  // The log-probability of each id of a row, after those before it; rows beyond the bundle's limit
  // are split into several.
  std::vector<float> Score(const Ids& row);

  // The logits of all tokens after every prefix of a row: [row.size() + 1, vocabulary].
  std::vector<float> Logits(const Ids& row);

  // Throws Error (kInvalidArgument) where the bundle has no tokenizer.
  Ids Tokenize(std::string_view text) const;

  // The text of what follows a prompt; none where the bundle has no tokenizer.
  std::optional<std::string> Continuation(std::string_view text, const Ids& prompt,
                                          const Ids& added) const;

  // Lets its steps tell of themselves, until null is given.
  void Follow(Progress* progress) { session_.Follow(progress); }
  Cancellation& cancellation() { return session_.cancellation(); }

  const LanguageModelBundle& bundle() const { return bundle_; }

 private:
  int32_t CheckedLimit(const Ids& prompt, const GenerationOptions& options) const;
  std::string Decode(const Ids& ids) const;

  LanguageModelBundle bundle_;
  std::optional<Tokenizer> tokenizer_;
  Session session_;
  std::optional<Generation> generation_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_LANGUAGE_MODEL_H_
