#include "common/json.h"

#include <cctype>
#include <cstdlib>
#include <limits>

#include "common/error.h"
#include "tokenizer/utf8.h"

namespace tfcompress::json {
namespace {

constexpr int kDeepest = 64;

// Of a power of ten that is a double, and far above it.
constexpr int64_t kLargestExponent = 308;
constexpr uint64_t kLargestPower = 100000;

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Value Document() {
    Value value = Any(0);
    SkipSpace();
    if (at_ != text_.size()) Fail("more text after the value");
    return value;
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    throw Error(Error::Code::kBadBundle, "A file must be JSON",
                name_ + ", at byte " + std::to_string(at_) + ": " + what, kCopyAgain);
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }

  bool Take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  Value Any(int level) {
    if (level > kDeepest) Fail("nested too deeply");
    SkipSpace();
    switch (Peek()) {
      case '{':
        return Value(Members(level));
      case '[':
        return Value(Elements(level));
      case '"':
        return Value(Text());
      default:
        break;
    }
    if (Take("true")) return Value(true);
    if (Take("false")) return Value(false);
    if (Take("null")) return Value(nullptr);
    return Number();
  }

  Object Members(int level) {
    Object members;
    ++at_;
    SkipSpace();
    if (Take("}")) return members;
    do {
      SkipSpace();
      if (Peek() != '"') Fail("expected a name in quotes");
      const std::string name = Text();
      SkipSpace();
      if (!Take(":")) Fail("expected ':'");
      // Of equal names, the last counts.
      members.erase(name);
      members.emplace(name, Any(level + 1));
      SkipSpace();
    } while (Take(","));
    if (!Take("}")) Fail("expected ',' or '}'");
    return members;
  }

  Array Elements(int level) {
    Array elements;
    ++at_;
    SkipSpace();
    if (Take("]")) return elements;
    do {
      elements.push_back(Any(level + 1));
      SkipSpace();
    } while (Take(","));
    if (!Take("]")) Fail("expected ',' or ']'");
    return elements;
  }

  std::string Text() {
    std::string text;
    ++at_;
    while (true) {
      if (at_ >= text_.size()) Fail("the text has no end");
      const char c = text_[at_++];
      if (c == '"') {
        if (FindInvalidUtf8(text) != text.npos) Fail("a text is not UTF-8");
        return text;
      }
      if (static_cast<unsigned char>(c) < 0x20) Fail("a control character in a text");
      if (c == '\\') {
        Escape(&text);
      } else {
        text += c;
      }
    }
  }

  void Escape(std::string* text) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = Peek();
    ++at_;
    if (c == 'u') {
      AppendUtf8(CodePoint(), text);
      return;
    }
    const size_t place = c == '\0' ? kNames.npos : kNames.find(c);
    if (place == kNames.npos) Fail("an unknown escape");
    *text += kMeanings[place];
  }

  uint32_t CodePoint() {
    const uint32_t first = HexDigits();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || !Take("\\u")) Fail("a lone surrogate");
    const uint32_t second = HexDigits();
    if (second < 0xDC00 || second > 0xDFFF) Fail("a lone surrogate");
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  uint32_t HexDigits() {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = Peek();
      if (!std::isxdigit(static_cast<unsigned char>(c))) Fail("expected four hexadecimal digits");
      value = 16 * value + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
      ++at_;
    }
    return value;
  }

  static void AppendUtf8(uint32_t c, std::string* text) {
    if (c < 0x80) {
      *text += static_cast<char>(c);
      return;
    }
    const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static constexpr unsigned kLead[] = {0, 0xC0, 0xE0, 0xF0};
    *text += static_cast<char>(kLead[tail] | (c >> (6 * tail)));
    for (int i = tail - 1; i >= 0; --i) *text += static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3F));
  }

  // Doubles are those of serde_json, by which the package tokenizers reads scores: the digits as
  // one number, rounded, times or by a power of ten. That may be a unit in the last place off.
  Value Number() {
    const size_t begin = at_;
    const bool is_negative = Take("-");
    uint64_t digits = 0;
    int64_t exponent = TakeDigits(&digits);
    bool is_whole = true;
    if (Take(".")) {
      is_whole = false;
      const size_t first = at_;
      const int64_t dropped = exponent > 0 ? SkipDigits() : TakeDigits(&digits);
      if (exponent == 0) exponent = dropped - static_cast<int64_t>(at_ - first);
    }
    if (Take("e") || Take("E")) {
      is_whole = false;
      const bool is_small = !Take("+") && Take("-");
      uint64_t power = 0;
      if (TakeDigits(&power) > 0 || power > kLargestPower) power = kLargestPower;
      exponent += is_small ? -static_cast<int64_t>(power) : static_cast<int64_t>(power);
    }
    if (is_whole && at_ - begin < std::numeric_limits<int64_t>::digits10) {
      const auto number = static_cast<int64_t>(digits);
      return Value(is_negative ? -number : number);
    }
    double number = static_cast<double>(digits);
    for (; exponent < -kLargestExponent && number != 0; exponent += kLargestExponent) {
      number /= PowerOfTen(kLargestExponent);
    }
    if (exponent >= 0) {
      number *= PowerOfTen(exponent);
    } else {
      number /= PowerOfTen(-exponent);
    }
    return Value(is_negative ? -number : number);
  }

  // Takes digits as long as their number fits, and skips the others; returns how many those are.
  int64_t TakeDigits(uint64_t* number) {
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    const size_t begin = at_;
    while (std::isdigit(static_cast<unsigned char>(Peek()))) {
      const auto digit = static_cast<uint64_t>(Peek() - '0');
      if (*number > (kMost - digit) / 10) return SkipDigits();
      *number = 10 * *number + digit;
      ++at_;
    }
    if (at_ == begin) Fail("expected a value");
    return 0;
  }

  int64_t SkipDigits() {
    const size_t begin = at_;
    while (std::isdigit(static_cast<unsigned char>(Peek()))) ++at_;
    if (at_ == begin) Fail("expected a value");
    return static_cast<int64_t>(at_ - begin);
  }

  // 10 to a power, correctly rounded; infinite where it is too large.
  static double PowerOfTen(int64_t power) {
    return std::strtod(("1e" + std::to_string(power)).c_str(), nullptr);
  }

  std::string_view text_;
  const std::string& name_;
  size_t at_ = 0;
};

}  // namespace

Value Parse(std::string_view text, const std::string& name) {
  return Parser(text, name).Document();
}

}  // namespace tfcompress::json
