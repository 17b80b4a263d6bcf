#ifndef TFCOMPRESS_RUNTIME_SPLITTING_H_
#define TFCOMPRESS_RUNTIME_SPLITTING_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tfcompress {

// A part of a text, and the line breaks or space between it and the one before it.
struct Part {
  std::string breaks;
  std::string text;
};

// The lines of a valid UTF-8 text that are not blank, without space around them. "\n" and "\r\n"
// end lines.
std::vector<Part> SplitLines(std::string_view text);

// The sentences of a valid UTF-8 text, each with the space and line breaks before it; none for a
// single space, as some scripts have it and others have not.
std::vector<Part> SplitSentences(std::string_view text);

// Cuts a line until every part fits, as the Python runtime does: at the end of each sentence, else
// between words, into parts as long as fit; never within a grapheme cluster that fits. Gives
// nothing if a single code point does not fit.
std::optional<std::vector<std::string>> SplitText(
    std::string_view text, const std::function<bool(std::string_view)>& fits);

// Joins the translations of the parts of a text, one after another.
class Joiner {
 public:
  // What stands between the texts before and a next one.
  std::string Join(const Part& part);

 private:
  std::string left_;
};

// Joins the translations of the parts of a text: with the line breaks or space between them, else
// with a space where the script has spaces. `begins`, unless it is null, becomes where each is.
std::string JoinTexts(const std::vector<Part>& parts, std::vector<size_t>* begins = nullptr);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_SPLITTING_H_
