#ifndef TFCOMPRESS_TOKENIZER_ADDED_TOKENS_H_
#define TFCOMPRESS_TOKENIZER_ADDED_TOKENS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json.h"
#include "tokenizer/published_normalizer.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// The tokens that a tokenizer recognizes where a text spells them out, as the package tokenizers.
class AddedTokens {
 public:
  // Reads the `added_tokens` of a `tokenizer.json`. Those that are looked for in normalized text
  // are normalized too, unless there is no normalizer. Throws Error (kBadBundle).
  AddedTokens(const json::Value& value, const PublishedNormalizer* normalizer);

  // A part of a text: a token's id, or a text without a token.
  struct Part {
    std::string text;
    std::optional<int32_t> id;
  };

  // The parts of a text that are no tokens are normalized, where there is a normalizer.
  std::vector<Part> Split(std::string_view text) const;

  // All tokens, as they are looked for, with their ids.
  const std::vector<std::pair<std::string, int32_t>>& all() const { return all_; }

 private:
  struct Token {
    int32_t id;
    bool single_word;
    bool lstrip;
    bool rstrip;
  };

  // Tokens by what is looked for; of several that begin at one place the longest counts.
  class Finder {
   public:
    void Add(std::string text, Token token) { entries_.emplace_back(std::move(text), token); }
    void Finish();
    void Split(std::string_view text, std::vector<Part>* parts) const;

   private:
    std::vector<std::pair<std::string, Token>> entries_;
    Trie trie_;
  };

  const PublishedNormalizer* normalizer_;
  std::vector<std::pair<std::string, int32_t>> all_;
  Finder plain_;
  Finder normalized_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_ADDED_TOKENS_H_
