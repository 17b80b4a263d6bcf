#ifndef TFCOMPRESS_TOKENIZER_PUBLISHED_DECODER_H_
#define TFCOMPRESS_TOKENIZER_PUBLISHED_DECODER_H_

#include <string>
#include <vector>

#include "common/json.h"

namespace tfcompress {

// Joins pieces to a text as the `decoder` of a `tokenizer.json` does, which may be null. Throws
// Error (kBadBundle) if it is damaged or of an unknown type.
std::string JoinPieces(const json::Value& decoder, std::vector<std::string> pieces);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_PUBLISHED_DECODER_H_
