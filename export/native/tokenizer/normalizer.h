#ifndef TFCOMPRESS_TOKENIZER_NORMALIZER_H_
#define TFCOMPRESS_TOKENIZER_NORMALIZER_H_

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/charsmap.h"
#include "tokenizer/model_proto.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// Changes text as a model wants it: characters are replaced, needless spaces removed and the others
// marked.
class Normalizer {
 public:
  // Throws Error (kBadBundle) if the model's normalization map is damaged.
  Normalizer(const NormalizerProto& proto, bool whitespace_as_suffix);

  // The normalized text, in which what `kept` has remains as it is. `origins`, unless it is null,
  // becomes where each byte of it comes from, and its end. Throws Error (kBadBundle) if it would be
  // unreasonably long.
  std::string Normalize(std::string_view text, const Trie& kept,
                        std::vector<size_t>* origins = nullptr) const;

 private:
  Replacement Next(std::string_view text, const Trie& kept) const;

  Charsmap charsmap_;
  std::string_view space_;
  bool add_prefix_;
  bool add_suffix_;
  bool remove_extra_whitespaces_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_NORMALIZER_H_
