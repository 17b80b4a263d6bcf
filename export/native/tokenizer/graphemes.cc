#include "tokenizer/graphemes.h"

#include "tokenizer/published_tables.h"
#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

constexpr char32_t kZeroWidthNonJoiner = 0x200C;

// The numbers are those of the table.
enum class GraphemeClass : uint8_t {
  kOther,
  kCarriageReturn,
  kLineFeed,
  kControl,
  kJoiner,
  kRegional,
  kPrepend,
  kSpacingMark,
  kLead,
  kVowel,
  kTail,
  kOpenSyllable,
  kClosedSyllable,
  kLinker,
  kConsonant,
  kExtend,
  kPictograph,
};

GraphemeClass ClassOfGrapheme(char32_t character) {
  return static_cast<GraphemeClass>(RunValue(kGraphemeRuns, kGraphemeRunsSize, character));
}

// What the characters so far make of the cluster.
struct Cluster {
  GraphemeClass last;
  // Of an even number of regional indicators, another one begins a new cluster.
  bool is_odd_regional;
  // A pictograph and its extensions, and perhaps a joiner at the end.
  bool has_pictograph;
  // A consonant, and perhaps a linker, with extensions.
  bool has_consonant;
  bool has_linker;
};

bool IsControl(GraphemeClass one) {
  return one == GraphemeClass::kCarriageReturn || one == GraphemeClass::kLineFeed ||
         one == GraphemeClass::kControl;
}

bool IsExtend(GraphemeClass one) {
  return one == GraphemeClass::kExtend || one == GraphemeClass::kLinker ||
         one == GraphemeClass::kJoiner;
}

bool JoinsSyllable(GraphemeClass last, GraphemeClass next) {
  using Class = GraphemeClass;
  const bool is_vowel_or_tail = next == Class::kVowel || next == Class::kTail;
  switch (last) {
    case Class::kLead:
      return next == Class::kLead || next == Class::kVowel || next == Class::kOpenSyllable ||
             next == Class::kClosedSyllable;
    case Class::kOpenSyllable:
    case Class::kVowel:
      return is_vowel_or_tail;
    case Class::kClosedSyllable:
    case Class::kTail:
      return next == Class::kTail;
    default:
      return false;
  }
}

bool Joins(const Cluster& cluster, GraphemeClass next) {
  using Class = GraphemeClass;
  if (cluster.last == Class::kCarriageReturn && next == Class::kLineFeed) return true;
  if (IsControl(cluster.last) || IsControl(next)) return false;
  if (IsExtend(next) || next == Class::kSpacingMark || cluster.last == Class::kPrepend) return true;
  if (JoinsSyllable(cluster.last, next)) return true;
  if (next == Class::kConsonant) return cluster.has_linker;
  if (next == Class::kPictograph) return cluster.has_pictograph && cluster.last == Class::kJoiner;
  return next == Class::kRegional && cluster.is_odd_regional;
}

void Add(GraphemeClass next, char32_t character, Cluster* cluster) {
  using Class = GraphemeClass;
  const bool is_linker = next == Class::kLinker;
  const bool keeps = IsExtend(next) && character != kZeroWidthNonJoiner;
  cluster->is_odd_regional = next == Class::kRegional && !cluster->is_odd_regional;
  cluster->has_pictograph =
      next == Class::kPictograph ||
      (cluster->has_pictograph && IsExtend(next) && cluster->last != Class::kJoiner);
  cluster->has_linker = cluster->has_consonant && keeps && (cluster->has_linker || is_linker);
  cluster->has_consonant = next == Class::kConsonant || (cluster->has_consonant && keeps);
  cluster->last = next;
}

}  // namespace

size_t GraphemeSize(std::string_view text) {
  Cluster cluster = {};
  size_t size = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const char32_t character = TakeCharacter(&rest);
    const GraphemeClass next = ClassOfGrapheme(character);
    if (size > 0 && !Joins(cluster, next)) break;
    Add(next, character, &cluster);
    size = text.size() - rest.size();
  }
  return size;
}

}  // namespace tfcompress
