#ifndef TFCOMPRESS_RUNTIME_IDS_H_
#define TFCOMPRESS_RUNTIME_IDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tfcompress {

// Checks of text and ids that callers give. They throw Error (kInvalidArgument).

void CheckUtf8(std::string_view text);

// For more tokens, with some `marks`, than a bundle's limit.
[[noreturn]] void FailTooLong(size_t tokens, const char* marks, int32_t limit, const char* remedy);

// For text where a bundle has no tokenizer.
[[noreturn]] void FailWithoutTokenizer(const std::string& bundle);

// Makes sure that ids are from 0 to below a count. The message names what they are, and the remedy.
void CheckRange(const std::vector<int32_t>& ids, int32_t count, const std::string& what,
                const char* remedy);

// Makes sure that a special id is not among ids.
void RefuseId(const std::vector<int32_t>& ids, int32_t special, const char* what);

// Ids without the padding at their end. Padding before other ids is refused, as a bundle cannot
// leave it out.
std::vector<int32_t> WithoutPadding(std::vector<int32_t> ids, int32_t pad);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_IDS_H_
