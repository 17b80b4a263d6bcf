#ifndef TFCOMPRESS_RUNTIME_TARGET_CODES_H_
#define TFCOMPRESS_RUNTIME_TARGET_CODES_H_

#include <string>
#include <string_view>

namespace tfcompress {

// The code of the language that a valid UTF-8 text is translated to, for models of several, such as
// ">>de<<": what the text begins with; or "".
std::string TargetCode(std::string_view text);

// A part of a text, which may begin with the code, with a code before it, unless that is empty.
std::string WithCode(std::string_view code, std::string_view text);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TARGET_CODES_H_
