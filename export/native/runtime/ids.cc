#include "runtime/ids.h"

#include <algorithm>
#include <string>

#include "common/error.h"
#include "tokenizer/utf8.h"

namespace tfcompress {

using Code = Error::Code;

void CheckUtf8(std::string_view text) {
  const size_t invalid = FindInvalidUtf8(text);
  if (invalid == text.npos) return;
  throw Error(Code::kInvalidArgument,
              "byte " + std::to_string(invalid) + " of the text is not UTF-8; convert it");
}

void FailTooLong(size_t tokens, const char* marks, int32_t limit, const char* remedy) {
  throw Error(Code::kInvalidArgument, std::to_string(tokens) + " tokens with " + marks +
                                          ", but the bundle's limit is " + std::to_string(limit) +
                                          "; " + remedy);
}

void FailWithoutTokenizer(const std::string& bundle) {
  throw Error(Code::kInvalidArgument,
              bundle + ": the bundle has no tokenizer, so it takes ids only");
}

void CheckRange(const std::vector<int32_t>& ids, int32_t count, const char* what, const char* whose,
                const char* remedy) {
  for (const int32_t id : ids) {
    if (id >= 0 && id < count) continue;
    throw Error(Code::kInvalidArgument, what + std::to_string(id) + " is outside the " + whose +
                                            " 0 to " + std::to_string(count - 1) + remedy);
  }
}

void RefuseId(const std::vector<int32_t>& ids, int32_t special, const char* what) {
  const auto it = std::find(ids.begin(), ids.end(), special);
  if (it == ids.end()) return;
  throw Error(Code::kInvalidArgument,
              std::string("the ids have ") + what + " (" + std::to_string(special) + ") at place " +
                  std::to_string(it - ids.begin()) +
                  ", where it has no meaning; give the ids of text, and padding at their end only");
}

std::vector<int32_t> WithoutPadding(std::vector<int32_t> ids, int32_t pad) {
  while (!ids.empty() && ids.back() == pad) ids.pop_back();
  RefuseId(ids, pad, "padding");
  return ids;
}

}  // namespace tfcompress
