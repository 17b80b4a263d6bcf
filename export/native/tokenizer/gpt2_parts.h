#ifndef TFCOMPRESS_TOKENIZER_GPT2_PARTS_H_
#define TFCOMPRESS_TOKENIZER_GPT2_PARTS_H_

#include <cstddef>
#include <string_view>

namespace tfcompress {

// What the characters of a part have in common.
enum class Group { kLetter, kNumber, kSpace, kOther };

// The size of the part that GPT-2 splits off at the begin of a text, which is not empty: a
// contraction, or a run of characters of one group with perhaps one space before it.
size_t Gpt2PartSize(std::string_view text, Group (*group_of)(char32_t));

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_GPT2_PARTS_H_
