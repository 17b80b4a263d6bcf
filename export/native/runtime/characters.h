#ifndef TFCOMPRESS_RUNTIME_CHARACTERS_H_
#define TFCOMPRESS_RUNTIME_CHARACTERS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace tfcompress {

// What a character is to the end of a sentence; the numbers are those of make_tables.py.
enum class Role : uint8_t {
  kOther = 0,
  kSoftEnd = 1,
  kHardEnd = 2,
  kClose = 3,
  kOpen = 4,
  kDigit = 5,
  kSmall = 6,
  kInitial = 7
};

// How it holds to its neighbours in a grapheme cluster.
enum class Joins : uint8_t { kNone = 0, kToPrevious = 1, kToNext = 2, kToBoth = 3, kLinker = 4 };

// What a character is to reading and splitting text, as in tfcompress.text.characters.
class Properties {
 public:
  explicit Properties(char32_t character);

  Role role() const { return static_cast<Role>(bits_ & 7u); }
  Joins joins() const { return static_cast<Joins>(bits_ >> 3 & 7u); }
  // Of a script that has no spaces between words.
  bool is_unspaced() const { return (bits_ & 64u) != 0; }
  // White space, also of no width.
  bool is_space() const { return (bits_ & 128u) != 0; }
  // White space, a separator, a control or format character, or ignorable by default.
  bool is_blank() const { return (bits_ & 256u) != 0; }
  // Belongs to the grapheme cluster of the character before it.
  bool is_mark() const { return joins() != Joins::kNone && joins() != Joins::kToNext; }

 private:
  uint32_t bits_;
};

// Whether a text has nothing to read: blank characters only.
bool IsBlank(std::u32string_view text);
// The same of a valid UTF-8 text.
bool IsBlank(std::string_view text);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_CHARACTERS_H_
