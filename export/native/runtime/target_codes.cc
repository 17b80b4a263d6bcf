#include "runtime/target_codes.h"

#include <algorithm>

#include "runtime/characters.h"
#include "tokenizer/unicode.h"

namespace tfcompress {

std::string TargetCode(std::string_view text) {
  const size_t end = text.find("<<", 3);
  if (text.substr(0, 2) != ">>" || end == text.npos) return "";
  const std::string_view code = text.substr(0, end + 2);
  const std::u32string characters = ToCharacters(code);
  const bool has_space = std::any_of(characters.begin(), characters.end(),
                                     [](char32_t c) { return Properties(c).is_space(); });
  return has_space ? "" : std::string(code);
}

std::string WithCode(std::string_view code, std::string_view text) {
  std::string coded;
  if (text.substr(0, code.size()) != code) coded.append(code).append(" ");
  return coded.append(text);
}

}  // namespace tfcompress
