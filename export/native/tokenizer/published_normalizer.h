#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_NORMALIZER_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_NORMALIZER_H_

#include <functional>
#include <string>

#include "common/json.h"

namespace tfcompress {

// Changes a UTF-8 text as a whole.
using PublishedNormalizer = std::function<std::string(const std::string&)>;

// Reads the `normalizer` of a `tokenizer.json`, which may be null. Throws Error (kBadBundle) if it
// is damaged or of an unknown type.
PublishedNormalizer ReadNormalizer(const json::Value& value);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_NORMALIZER_H_
