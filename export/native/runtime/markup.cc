#include "runtime/markup.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "runtime/characters.h"
#include "runtime/markup_scanner.h"
#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

using Text = std::u32string_view;
constexpr size_t kNone = SIZE_MAX;

bool IsMarkupSpace(char32_t c) { return kMarkupSpace.find(c) != Text::npos; }

// A token, or a part of one that is text: with the characters that it stands for.
struct Atom {
  TokenType type;
  size_t begin;
  size_t end;
  std::u32string name;
  bool is_opaque = false;
  std::u32string text = {};
  bool ends_sentence = false;
  size_t partner = kNone;

  bool IsBlank() const { return type != TokenType::kText || tfcompress::IsBlank(Text(text)); }
};

// Text with each run of white space as one space.
std::u32string Collapsed(Text text) {
  std::u32string collapsed;
  bool after_space = false;
  for (const char32_t c : text) {
    const bool is_space = IsMarkupSpace(c);
    if (!is_space || !after_space) collapsed += is_space ? U' ' : c;
    after_space = is_space;
  }
  return collapsed;
}

// Adds preformatted text and its line breaks.
void AddLines(Text raw, size_t begin, const std::u32string& meant, std::vector<Atom>* atoms) {
  const auto add = [&](size_t from, size_t to, std::u32string text, bool is_break) {
    for (char32_t& c : text) {
      if (c == U'\n' || c == U'\r' || c == U'\f') c = U' ';
    }
    atoms->push_back(
        {TokenType::kText, begin + from, begin + to, {}, false, std::move(text), is_break});
  };
  if (raw != meant) return add(0, raw.size(), meant, false);
  size_t at = 0;
  for (size_t end = raw.find(U'\n'); end != Text::npos; end = raw.find(U'\n', at)) {
    if (at < end) add(at, end, std::u32string(raw.substr(at, end - at)), false);
    add(end, end + 1, U"\n", true);
    at = end + 1;
  }
  if (at < raw.size()) add(at, raw.size(), std::u32string(raw.substr(at)), false);
}

std::vector<Atom> Atoms(Text text) {
  std::vector<Atom> atoms;
  size_t preformatted = 0;
  for (MarkupToken& token : ScanMarkup(text)) {
    if (token.type != TokenType::kText) {
      if (IsPreformatted(token.name)) {
        if (token.type == TokenType::kOpen) ++preformatted;
        if (token.type == TokenType::kClose && preformatted > 0) --preformatted;
      }
      atoms.push_back({token.type, token.begin, token.end, std::move(token.name), token.is_opaque});
      continue;
    }
    size_t at = token.begin;
    for (const DecodedPart& part : DecodeReferences(text.substr(at, token.end - at))) {
      const size_t end = at + part.size;
      if (!part.meant) {
        atoms.push_back({TokenType::kKept, at, end, {}});
      } else if (preformatted > 0) {
        AddLines(text.substr(at, part.size), at, *part.meant, &atoms);
      } else {
        atoms.push_back({TokenType::kText, at, end, {}, false, Collapsed(*part.meant)});
      }
      at = end;
    }
  }
  return atoms;
}

// Finds the partners of tags. What an element's end leaves open has none. As in HTML, a table's
// cell ends the one before it with all that is in it, and end tags in cells and the like end
// nothing that is around these, but for parts of tables.
class Matcher {
 public:
  explicit Matcher(std::vector<Atom>* atoms) : atoms_(*atoms) {}

  void Match() {
    for (size_t number = 0; number < atoms_.size(); ++number) {
      if (atoms_[number].type == TokenType::kOpen) Open(number);
      if (atoms_[number].type == TokenType::kClose) Close(number);
    }
  }

 private:
  void Open(size_t number) {
    const Text name = atoms_[number].name;
    while (IsCellEnd(name) && cells_.back() > 0) Pop();
    opened_.push_back(number);
    ++names_.back()[name];
    if (IsScope(name)) names_.emplace_back();
    if (IsCell(name)) {
      ++cells_.back();
    } else if (name == U"table") {
      cells_.push_back(0);
    }
  }

  void Close(size_t number) {
    Atom& atom = atoms_[number];
    const Text name = atom.name;
    const bool goes_out = IsScope(name) || IsCellEnd(name) || name == U"table";
    const size_t count = names_.size();
    if (!Has(count - 1, name) && !(goes_out && count > 1 && Has(count - 2, name))) return;
    while (atom.partner == kNone) {
      const size_t last = Pop();
      if (atoms_[last].name == name) {
        atom.partner = last;
        atoms_[last].partner = number;
      }
    }
  }

  bool Has(size_t scope, Text name) const {
    const auto known = names_[scope].find(name);
    return known != names_[scope].end() && known->second > 0;
  }

  size_t Pop() {
    const size_t number = opened_.back();
    opened_.pop_back();
    const Text name = atoms_[number].name;
    if (IsScope(name)) names_.pop_back();
    --names_.back()[name];
    if (IsCell(name)) {
      --cells_.back();
    } else if (name == U"table") {
      cells_.pop_back();
    }
    return number;
  }

  std::vector<Atom>& atoms_;
  // The tags that are open, how many of each name within each cell and the like, and how many cells
  // within each table.
  std::vector<size_t> opened_;
  std::vector<std::map<Text, size_t>> names_{1};
  std::vector<size_t> cells_ = {0};
};

// Finds of each open tag without a partner the number of the last atom of its element: before the
// tag of an element that ends it, or at the end of the one around. As in HTML's list of active
// formatting elements, formatting goes on after that, up to an end tag that stands elsewhere, or
// the end of a table cell and the like.
class EndsWithoutTag {
 public:
  explicit EndsWithoutTag(std::vector<Atom>* atoms) : atoms_(*atoms), scopes_(1), formatting_(1) {
    for (size_t number = 0; number < atoms_.size(); ++number) {
      if (atoms_[number].type == TokenType::kClose) {
        Close(number);
      } else if (atoms_[number].type == TokenType::kOpen ||
                 atoms_[number].type == TokenType::kEmpty) {
        Open(number);
      }
    }
    const size_t last = atoms_.size() - 1;
    for (const size_t number : scopes_[0].opened) ends_[number] = last;
    while (!formatting_.empty()) EndFormatting(last);
  }

  std::map<size_t, size_t> Take() && { return std::move(ends_); }

 private:
  // An element with an end tag: the tags without one in it, and their names.
  struct Scope {
    std::vector<size_t> opened;
    std::map<Text, size_t> counts;
  };

  void Close(size_t number) {
    const Atom& atom = atoms_[number];
    if (atom.partner == kNone) {
      EndLast(atom.name, number - 1);
      return;
    }
    const std::vector<size_t> opened = std::move(scopes_.back().opened);
    scopes_.pop_back();
    for (auto inner = opened.rbegin(); inner != opened.rend(); ++inner) End(*inner, number - 1);
    End(atom.partner, number - 1);
  }

  void Open(size_t number) {
    Atom& atom = atoms_[number];
    Scope& scope = scopes_.back();
    const std::vector<Text> ended = EndedBy(atom.name);
    while (std::any_of(ended.begin(), ended.end(), [&](Text name) {
      const auto known = scope.counts.find(name);
      return known != scope.counts.end() && known->second > 0;
    })) {
      const size_t last = scope.opened.back();
      scope.opened.pop_back();
      --scope.counts[atoms_[last].name];
      End(last, number - 1);
    }
    if (IsUnique(atom.name) && EndLast(atom.name, number - 1)) atom.ends_sentence = true;
    if (atom.type == TokenType::kEmpty) return;
    if (IsScope(atom.name)) formatting_.emplace_back();
    if (atom.partner != kNone) {
      scopes_.emplace_back();
    } else if (IsFormatting(atom.name)) {
      formatting_.back()[atom.name].push_back(number);
    } else {
      scope.opened.push_back(number);
      ++scope.counts[atom.name];
    }
  }

  void End(size_t number, size_t last) {
    if (atoms_[number].partner == kNone) ends_[number] = last;
    if (IsScope(atoms_[number].name)) EndFormatting(last);
  }

  // Ends the last formatting of a name, if there is one.
  bool EndLast(Text name, size_t last) {
    const auto known = formatting_.back().find(name);
    if (known == formatting_.back().end() || known->second.empty()) return false;
    ends_[known->second.back()] = last;
    known->second.pop_back();
    return true;
  }

  void EndFormatting(size_t last) {
    for (const auto& [name, numbers] : formatting_.back()) {
      for (const size_t number : numbers) ends_[number] = last;
    }
    formatting_.pop_back();
  }

  std::vector<Atom>& atoms_;
  std::vector<Scope> scopes_;
  // Within each table cell and the like, by its name.
  std::vector<std::map<Text, std::vector<size_t>>> formatting_;
  std::map<size_t, size_t> ends_;
};

// Marks what ends a sentence: blocks, tags without partners, and elements around those. Nothing
// does within an element that is not translated; but where something that is not translated either
// begins or ends in it, its own end does. `ends` are those of tags without a partner.
void MarkEnds(std::vector<Atom>* atoms, const std::map<size_t, size_t>& ends) {
  std::set<size_t> edges;
  for (const auto& [number, last] : ends) {
    if (!(*atoms)[number].is_opaque) continue;
    edges.insert(number);
    edges.insert(last + 1);
  }
  std::vector<size_t> opened;
  const auto mark = [&](Atom* atom) {
    atom->ends_sentence = true;
    for (auto around = opened.rbegin(); around != opened.rend(); ++around) {
      if ((*atoms)[*around].ends_sentence) break;
      (*atoms)[*around].ends_sentence = true;
    }
  };
  for (size_t number = 0; number < atoms->size(); ++number) {
    Atom& atom = (*atoms)[number];
    const bool is_tag = atom.type == TokenType::kOpen || atom.type == TokenType::kClose;
    const bool is_lonely = is_tag && atom.partner == kNone;
    const bool is_block = atom.type != TokenType::kText && IsBlock(atom.name);
    atom.ends_sentence = atom.ends_sentence || is_lonely || is_block;
    if (atom.type == TokenType::kClose && atom.partner != kNone) {
      opened.pop_back();
      atom.ends_sentence = atom.ends_sentence || (*atoms)[atom.partner].ends_sentence;
    }
    if (atom.ends_sentence) mark(&atom);
    if (atom.type != TokenType::kOpen || atom.partner == kNone) continue;
    if (atom.is_opaque) {
      const auto edge = edges.upper_bound(number);
      const bool has_edge = edge != edges.end() && *edge < atom.partner;
      while (++number < atom.partner) (*atoms)[number].ends_sentence = false;
      if (has_edge || atom.ends_sentence) mark(&(*atoms)[number]);
    } else {
      opened.push_back(number);
    }
  }
}

// Makes a segment.
class Builder {
 public:
  void AddText(Text text) {
    const bool has_space = !text.empty() && text[0] == U' ';
    for (const size_t mark : marks_) tags_[mark].has_space_after = has_space;
    marks_.clear();
    // Space on both sides of a tag is one.
    text_.append(text.substr(has_space && EndsWithSpace() ? 1 : 0));
  }

  void AddMark(std::string source) {
    Add(std::move(source), "");
    tags_.back().has_space_before = EndsWithSpace();
    marks_.push_back(tags_.size() - 1);
  }

  void Open(std::string opening, std::string closing) {
    Add(std::move(opening), std::move(closing));
    opened_.push_back(tags_.size() - 1);
  }

  void Close() {
    tags_[opened_.back()].end = text_.size();
    opened_.pop_back();
  }

  MarkupSegment Take() && {
    const size_t begin = std::min(text_.find_first_not_of(U' '), text_.size());
    const size_t end = text_.find_last_not_of(U' ') + 1;
    Text text = Text(text_).substr(begin, std::max(end, begin) - begin);
    for (Tag& tag : tags_) {
      for (size_t* const place : {&tag.begin, &tag.end}) {
        *place = std::min(*place > begin ? *place - begin : 0, text.size());
      }
      if (tag.closing.empty()) continue;
      while (Properties(text[tag.begin]).is_space()) ++tag.begin;
      while (Properties(text[tag.end - 1]).is_space()) --tag.end;
    }
    return {std::u32string(text), std::move(tags_)};
  }

 private:
  bool EndsWithSpace() const { return !text_.empty() && text_.back() == U' '; }

  void Add(std::string opening, std::string closing) {
    const int parent = opened_.empty() ? -1 : static_cast<int>(opened_.back());
    tags_.push_back({text_.size(), text_.size(), std::move(opening), std::move(closing), parent});
  }

  std::u32string text_;
  std::vector<Tag> tags_;
  std::vector<size_t> opened_;
  std::vector<size_t> marks_;
};

class Parser {
 public:
  explicit Parser(Text text) : text_(text), atoms_(Atoms(text)), counts_(1, 0) {
    Matcher(&atoms_).Match();
    const std::map<size_t, size_t> ends = EndsWithoutTag(&atoms_).Take();
    MarkEnds(&atoms_, ends);
    size_t translated_from = 0;
    for (size_t number = 0; number < atoms_.size(); ++number) {
      const Atom& atom = atoms_[number];
      if (atom.is_opaque) {
        const size_t last = atom.partner != kNone ? atom.partner : ends.at(number);
        translated_from = std::max(translated_from, last + 1);
      }
      const bool is_text = number >= translated_from && !atom.IsBlank();
      counts_.push_back(counts_.back() + (is_text ? 1 : 0));
    }
  }

  void Parse(std::vector<std::string>* kept, std::vector<MarkupSegment>* segments) const {
    size_t kept_from = 0, begin = 0;
    for (size_t end = 0; end <= atoms_.size(); ++end) {
      if (end < atoms_.size() && !atoms_[end].ends_sentence) continue;
      const auto [first, last] = WithoutSurroundings(begin, end);
      begin = end + 1;
      if (first == last) continue;
      segments->push_back(MakeSegment(first, last));
      const TextSpan span = SpanOf(atoms_[first], atoms_[last - 1]);
      kept->push_back(Slice(kept_from, span.begin));
      kept_from = span.end;
    }
    kept->push_back(Slice(kept_from, text_.size()));
  }

 private:
  std::string Slice(size_t begin, size_t end) const {
    return ToUtf8(text_.substr(begin, end - begin));
  }

  std::string Raw(const Atom& atom) const { return Slice(atom.begin, atom.end); }

  // How much there is to translate before each atom tells whether there is any.
  bool HasText(size_t begin, size_t end) const { return counts_[end] > counts_[begin]; }

  // The atoms from the first word to the last, with the elements that begin there.
  std::pair<size_t, size_t> WithoutSurroundings(size_t begin, size_t end) const {
    if (begin >= end || !HasText(begin, end)) return {end, end};
    for (; atoms_[begin].IsBlank(); ++begin) {
      const size_t partner = atoms_[begin].partner;
      if (partner == kNone) continue;
      if (!HasText(begin, partner)) {
        begin = partner;
      } else if (HasText(partner, end)) {
        break;
      } else {
        end = partner;
      }
    }
    while (atoms_[end - 1].IsBlank()) {
      const size_t partner = atoms_[end - 1].partner;
      if (partner == kNone) {
        --end;
      } else if (HasText(partner, end)) {
        break;
      } else {
        end = partner;
      }
    }
    return {begin, end};
  }

  MarkupSegment MakeSegment(size_t begin, size_t end) const {
    Builder builder;
    for (size_t number = begin; number < end; ++number) {
      const Atom& atom = atoms_[number];
      if (atom.type == TokenType::kText) {
        builder.AddText(atom.text);
      } else if (atom.type == TokenType::kClose) {
        builder.Close();
      } else if (atom.partner == kNone) {
        builder.AddMark(Raw(atom));
      } else if (HasText(number, atom.partner)) {
        builder.Open(Raw(atom), Raw(atoms_[atom.partner]));
      } else {
        builder.AddMark(Slice(atom.begin, atoms_[atom.partner].end));
        const auto first = atoms_.begin() + static_cast<ptrdiff_t>(number);
        const auto last = atoms_.begin() + static_cast<ptrdiff_t>(atom.partner);
        const bool has_space =
            std::any_of(first, last, [](const Atom& inner) { return !inner.text.empty(); });
        if (!atom.is_opaque && has_space) builder.AddText(U" ");
        number = atom.partner;
      }
    }
    return std::move(builder).Take();
  }

  // Where atoms are in the markup, without the space around them.
  TextSpan SpanOf(const Atom& first, const Atom& last) const {
    TextSpan span = {first.begin, last.end};
    if (first.type == TokenType::kText) {
      while (span.begin < first.end && IsMarkupSpace(text_[span.begin])) ++span.begin;
    }
    if (last.type == TokenType::kText) {
      while (span.end > last.begin && IsMarkupSpace(text_[span.end - 1])) --span.end;
    }
    return span;
  }

  Text text_;
  std::vector<Atom> atoms_;
  std::vector<size_t> counts_;
};

}  // namespace

MarkupDocument MarkupDocument::Parse(std::string_view text) {
  const std::u32string characters = ToCharacters(text);
  MarkupDocument document;
  Parser(characters).Parse(&document.kept_, &document.segments_);
  return document;
}

std::string MarkupDocument::Join(const std::vector<TranslatedSegment>& translations) const {
  std::string markup = kept_[0];
  for (size_t i = 0; i < segments_.size(); ++i) {
    const auto& [text, alignment] = translations[i];
    markup += PlaceTags(segments_[i].text, segments_[i].tags, text, alignment);
    markup += kept_[i + 1];
  }
  return markup;
}

}  // namespace tfcompress
