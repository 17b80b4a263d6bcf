#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_SPLITTER_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_SPLITTER_H_

#include <functional>
#include <string>
#include <vector>

#include "common/json.h"

namespace tfcompress {

// Splits a text into the words that a model of pieces takes. Empty ones do not count.
using PublishedSplitter = std::function<std::vector<std::string>(const std::string&)>;

// Reads the `pre_tokenizer` of a `tokenizer.json`, which may be null. Throws Error (kBadBundle) if
// it is damaged or of an unknown type.
PublishedSplitter ReadSplitter(const json::Value& value);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_SPLITTER_H_
