#include "tokenizer/gpt2_parts.h"

#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

// How many bytes at the begin of a text have one group, and the start of the last character there.
struct Run {
  size_t size;
  size_t last;
};

Run RunOf(Group group, std::string_view text, Group (*group_of)(char32_t)) {
  Run run = {0, 0};
  for (std::string_view rest = text; !rest.empty();) {
    const size_t at = text.size() - rest.size();
    if (group_of(TakeCharacter(&rest)) != group) break;
    run = {text.size() - rest.size(), at};
  }
  return run;
}

}  // namespace

size_t Gpt2PartSize(std::string_view text, Group (*group_of)(char32_t)) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.substr(0, ending.size()) == ending) return ending.size();
  }
  const size_t space = text[0] == ' ' ? 1 : 0;
  if (text.size() > space) {
    std::string_view first = text.substr(space);
    const Group group = group_of(TakeCharacter(&first));
    if (group != Group::kSpace) return space + RunOf(group, text.substr(space), group_of).size;
  }
  // Of several spaces before something else, the last belongs to what follows.
  const Run run = RunOf(Group::kSpace, text, group_of);
  return run.size == text.size() || run.last == 0 ? run.size : run.last;
}

}  // namespace tfcompress
