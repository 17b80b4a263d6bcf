#ifndef TFCOMPRESS_RUNTIME_SPLITTING_H_
#define TFCOMPRESS_RUNTIME_SPLITTING_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tfcompress {

// Halves a UTF-8 text until every part fits: at the end of the sentence nearest to its middle, else
// at the space nearest to it, else in the middle, as the Python runtime does. Gives nothing if a
// single character does not fit.
std::vector<std::string> SplitText(std::string_view text,
                                   const std::function<bool(std::string_view)>& fits);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_SPLITTING_H_
