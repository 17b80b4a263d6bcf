#ifndef TFCOMPRESS_RUNTIME_SENTENCES_H_
#define TFCOMPRESS_RUNTIME_SENTENCES_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "runtime/characters.h"

namespace tfcompress {

// Whether a character is a quotation mark, a bracket or a dash.
bool IsQuote(char32_t character);

// Where the sentences of a line begin, but for the first, by the rules of the Python runtime's
// sentences.py. `doubtful`: a sentence may also end where a small letter follows, after a number of
// one or two digits and in front of a Japanese particle.
std::vector<size_t> SentenceBegins(std::u32string_view text, bool doubtful);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_SENTENCES_H_
