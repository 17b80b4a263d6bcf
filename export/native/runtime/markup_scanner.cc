#include "runtime/markup_scanner.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/error.h"
#include "runtime/markup_tables.h"
#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

using Text = std::u32string_view;
constexpr size_t kNone = Text::npos;

bool IsIn(char32_t c, Text set) { return set.find(c) != kNone; }

bool IsSpace(char32_t c) { return IsIn(c, kMarkupSpace); }

bool IsLetter(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }

bool IsDigit(char32_t c) { return c >= U'0' && c <= U'9'; }

bool StartsWith(Text text, size_t at, Text prefix) {
  return text.substr(at, prefix.size()) == prefix;
}

std::u32string Lower(Text text) {
  std::u32string lower(text);
  for (char32_t& c : lower) {
    if (c >= U'A' && c <= U'Z') c += U'a' - U'A';
  }
  return lower;
}

bool IsOneOf(const Text* words, size_t count, Text word) {
  return std::binary_search(words, words + count, word);
}

[[noreturn]] void FailUnended(Text text, size_t begin) {
  throw Error(Error::Code::kInvalidArgument, "Tags, comments and scripts must end",
              ToUtf8(text.substr(begin, 20)) + " at character " + std::to_string(begin),
              "Close it, or write &lt; for a `<`");
}

class Scanner {
 public:
  explicit Scanner(Text text) : text_(text) {}

  std::vector<MarkupToken> Scan() {
    std::vector<MarkupToken> tokens;
    size_t begin = 0;
    for (size_t at = text_.find(U'<'); at != kNone; at = text_.find(U'<', at)) {
      std::optional<MarkupToken> token = Markup(at);
      if (!token) {
        ++at;
        continue;
      }
      if (begin < at) tokens.push_back({TokenType::kText, begin, at});
      begin = at = token->end;
      if (token->type == TokenType::kOpen && IsOneOf(kRawText, kRawTextSize, token->name)) {
        const size_t end = EndTag(token->name, at);
        if (end != kNone) at = end;
      }
      tokens.push_back(*std::move(token));
    }
    if (begin < text_.size()) tokens.push_back({TokenType::kText, begin, text_.size()});
    return tokens;
  }

 private:
  // What a tag says beside its name.
  struct TagEnd {
    size_t end;
    bool is_closed;  // By "/>".
    bool is_opaque;  // It forbids translation.
  };

  char32_t At(size_t at) const { return at < text_.size() ? text_[at] : U'\0'; }
  Text Slice(size_t begin, size_t end) const { return text_.substr(begin, end - begin); }

  size_t NameEnd(size_t at) const {
    while (at < text_.size() && !IsSpace(text_[at]) && !IsIn(text_[at], U"/>")) ++at;
    return at;
  }

  size_t SkipSpaces(size_t at) const {
    while (at < text_.size() && IsSpace(text_[at])) ++at;
    return at;
  }

  // Where a mark ends that is after `at`.
  size_t After(size_t begin, Text mark, size_t at) const {
    const size_t end = text_.find(mark, at);
    if (end == kNone) FailUnended(text_, begin);
    return end + mark.size();
  }

  // The token that begins with a "<", or nothing if that is text.
  std::optional<MarkupToken> Markup(size_t at) {
    if (IsLetter(At(at + 1))) return Open(at);
    if (At(at + 1) == U'/' && IsLetter(At(at + 2))) {
      const size_t name_end = NameEnd(at + 2);
      return MarkupToken{TokenType::kClose, at, EndOfTag(at, name_end).end,
                         Lower(Slice(at + 2, name_end))};
    }
    const auto kept = [&](size_t end) { return MarkupToken{TokenType::kKept, at, end}; };
    if (StartsWith(text_, at, U"<!--")) return kept(After(at, U"-->", at + 2));
    if (StartsWith(text_, at, U"<![CDATA[")) return kept(After(at, U"]]>", at));
    if (At(at + 1) == U'?') return kept(After(at, U"?>", at));
    if (At(at + 1) != U'!') return std::nullopt;
    size_t end = After(at, U">", at);
    if (Slice(at, end).find(U'[') != kNone) end = After(at, U">", After(at, U"]", at));
    return kept(end);
  }

  MarkupToken Open(size_t at) {
    const size_t name_end = NameEnd(at + 1);
    std::u32string name = Lower(Slice(at + 1, name_end));
    const TagEnd tag = EndOfTag(at, name_end);
    const bool is_raw = IsOneOf(kRaw, kRawSize, name);
    const bool has_raw = is_raw || IsOneOf(kRawText, kRawTextSize, name);
    const size_t end_tag = has_raw ? EndTag(name, tag.end) : kNone;
    // HTML knows no "/>" here; XML does.
    if ((tag.is_closed && end_tag == kNone) || IsOneOf(kVoids, kVoidsSize, name)) {
      return {TokenType::kEmpty, at, tag.end, std::move(name)};
    }
    if (is_raw) {
      if (end_tag == kNone) FailUnended(text_, at);
      const size_t end = EndOfTag(end_tag, end_tag + 2 + name.size()).end;
      return {TokenType::kKept, at, end, std::move(name)};
    }
    const bool is_opaque = tag.is_opaque || IsOneOf(kOpaque, kOpaqueSize, name);
    return {TokenType::kOpen, at, tag.end, std::move(name), is_opaque};
  }

  // Where the next end tag of an element without markup is, or kNone; never called with a lesser
  // `at` for the same name.
  size_t EndTag(const std::u32string& name, size_t at) {
    const auto [known, is_new] = end_tags_.try_emplace(name, at);
    size_t& end = known->second;
    if (!is_new && (end == kNone || end >= at)) return end;
    for (end = text_.find(U"</", at); end != kNone; end = text_.find(U"</", end + 2)) {
      const size_t name_end = end + 2 + name.size();
      const char32_t next = At(name_end);
      const bool is_end = name_end < text_.size() && (IsSpace(next) || IsIn(next, U"/>"));
      if (is_end && Lower(Slice(end + 2, name_end)) == name) break;
    }
    return end;
  }

  TagEnd EndOfTag(size_t begin, size_t at) const {
    bool is_opaque = false;
    while (true) {
      at = SkipSpaces(at);
      if (at == text_.size()) FailUnended(text_, begin);
      if (text_[at] == U'>') return {at + 1, text_[at - 1] == U'/', is_opaque};
      const size_t name = at++;
      while (at < text_.size() && !IsSpace(text_[at]) && !IsIn(text_[at], U"/>=")) ++at;
      const Text attribute = Slice(name, at);
      const size_t value_at = SkipSpaces(at);
      if (At(value_at) != U'=') continue;
      const Text value = Value(begin, value_at + 1, &at);
      is_opaque = is_opaque || Forbids(attribute, value);
      if (At(at) == U'>' && text_[at - 1] == U'/') return {at + 1, false, is_opaque};
    }
  }

  // An attribute's value; `at` becomes the place after it.
  Text Value(size_t begin, size_t value_at, size_t* at) const {
    value_at = SkipSpaces(value_at);
    const char32_t quote = At(value_at);
    if (quote == U'"' || quote == U'\'') {
      const size_t end = text_.find(quote, value_at + 1);
      if (end == kNone) FailUnended(text_, begin);
      *at = end + 1;
      return Slice(value_at + 1, end);
    }
    size_t end = value_at;
    while (end < text_.size() && !IsSpace(text_[end]) && text_[end] != U'>') ++end;
    *at = end;
    return Slice(value_at, end);
  }

  // Whether an attribute forbids translation.
  static bool Forbids(Text attribute, Text value) {
    const std::u32string name = Lower(attribute);
    if (name == U"translate") return Lower(value) == U"no";
    if (name != U"class") return false;
    constexpr Text kWord = U"notranslate";
    for (size_t at = value.find(kWord); at != kNone; at = value.find(kWord, at + 1)) {
      const size_t end = at + kWord.size();
      const bool begins = at == 0 || IsSpace(value[at - 1]);
      if (begins && (end == value.size() || IsSpace(value[end]))) return true;
    }
    return false;
  }

  Text text_;
  std::map<std::u32string, size_t> end_tags_;
};

bool IsHexadecimal(char32_t c) {
  return IsDigit(c) || (c >= U'a' && c <= U'f') || (c >= U'A' && c <= U'F');
}

bool IsNamePart(char32_t c) { return IsLetter(c) || IsDigit(c) || IsIn(c, U"._-"); }

// The size of a reference that a text begins with, or 0.
size_t ReferenceSize(Text text) {
  const auto size = [&](size_t begin, size_t most, bool (*is_part)(char32_t)) -> size_t {
    size_t end = begin;
    while (end < text.size() && end - begin < most && is_part(text[end])) ++end;
    return end > begin && end < text.size() && text[end] == U';' ? end + 1 : 0;
  };
  const auto at = [&](size_t place) { return place < text.size() ? text[place] : U'\0'; };
  if (at(1) != U'#') return IsLetter(at(1)) ? size(1, 32, IsNamePart) : 0;
  if (at(2) == U'x' || at(2) == U'X') return size(3, 6, IsHexadecimal);
  return size(2, 7, IsDigit);
}

std::optional<std::u32string> Meaning(Text reference) {
  const Text name = reference.substr(1, reference.size() - 2);
  char32_t code = 0;
  if (name[0] != U'#') {
    const auto* const end = kCharacterNames + kCharacterNamesSize;
    const auto* const named =
        std::lower_bound(kCharacterNames, end, name,
                         [](const NamedCharacter& one, Text wanted) { return one.name < wanted; });
    if (named == end || named->name != name) return std::nullopt;
    return std::u32string(1, named->character);
  }
  const bool is_hexadecimal = name[1] == U'x' || name[1] == U'X';
  for (const char32_t c : Lower(name.substr(is_hexadecimal ? 2 : 1))) {
    code = code * (is_hexadecimal ? 16 : 10) + (IsDigit(c) ? c - U'0' : c - U'a' + 10);
  }
  const bool is_control = (code < 32 && !IsSpace(code)) || (code >= 127 && code < 160);
  const bool is_character = code < 0x110000 && !(code >= 0xD800 && code < 0xE000);
  if (is_control || !is_character) return std::nullopt;
  return std::u32string(1, code);
}

}  // namespace

std::vector<MarkupToken> ScanMarkup(Text text) { return Scanner(text).Scan(); }

std::vector<DecodedPart> DecodeReferences(Text text) {
  std::vector<DecodedPart> parts;
  size_t begin = 0;
  const auto add_text = [&](size_t end) {
    if (begin < end)
      parts.push_back({end - begin, std::u32string(text.substr(begin, end - begin))});
  };
  for (size_t at = text.find(U'&'); at != kNone; at = text.find(U'&', at)) {
    const size_t size = ReferenceSize(text.substr(at));
    if (size == 0) {
      ++at;
      continue;
    }
    add_text(at);
    parts.push_back({size, Meaning(text.substr(at, size))});
    begin = at += size;
  }
  add_text(text.size());
  return parts;
}

std::string EncodeMarkup(Text text) {
  std::string encoded;
  for (const char32_t c : text) {
    if (c == U'&') {
      encoded += "&amp;";
    } else if (c == U'<') {
      encoded += "&lt;";
    } else if (c == U'>') {
      encoded += "&gt;";
    } else {
      AppendUtf8(c, &encoded);
    }
  }
  return encoded;
}

std::vector<Text> EndedBy(Text name) {
  const auto* const end = kEndings + kEndingsSize;
  const auto* it = std::lower_bound(
      kEndings, end, name, [](const Ending& one, Text wanted) { return one.tag < wanted; });
  std::vector<Text> ended;
  for (; it != end && it->tag == name; ++it) ended.push_back(it->ended);
  return ended;
}

bool IsBlock(Text name) { return IsOneOf(kBlocks, kBlocksSize, name); }

bool IsFormatting(Text name) { return IsOneOf(kFormatting, kFormattingSize, name); }

bool IsUnique(Text name) { return IsOneOf(kUnique, kUniqueSize, name); }

bool IsScope(Text name) { return IsOneOf(kScopes, kScopesSize, name); }

bool IsCell(Text name) { return IsOneOf(kCells, kCellsSize, name); }

bool IsCellEnd(Text name) { return IsOneOf(kCellEnds, kCellEndsSize, name); }

bool IsPreformatted(Text name) { return IsOneOf(kPreformatted, kPreformattedSize, name); }

}  // namespace tfcompress
