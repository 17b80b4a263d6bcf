#include "runtime/characters.h"

#include <algorithm>

#include "runtime/text_tables.h"
#include "tokenizer/unicode.h"

namespace tfcompress {

Properties::Properties(char32_t character) {
  const uint32_t last = static_cast<uint32_t>(character) << 9 | 511u;
  bits_ = *(std::upper_bound(kTextRuns, kTextRuns + kTextRunsSize, last) - 1) & 511u;
}

bool IsBlank(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(), [](char32_t c) { return Properties(c).is_blank(); });
}

bool IsBlank(std::string_view text) {
  while (!text.empty()) {
    if (!Properties(TakeCharacter(&text)).is_blank()) return false;
  }
  return true;
}

}  // namespace tfcompress
