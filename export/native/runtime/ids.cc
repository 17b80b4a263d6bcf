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
  throw Error(Code::kInvalidArgument, "A text must be UTF-8",
              "byte " + std::to_string(invalid) + ", which is not", "Convert it");
}

void FailTooLong(size_t tokens, const char* marks, int32_t limit, const char* remedy) {
  throw Error(Code::kInvalidArgument, "A text must fit the bundle's limit",
              std::to_string(tokens) + " tokens with " + marks + ", limit=" + std::to_string(limit),
              remedy);
}

void FailWithoutTokenizer(const std::string& bundle) {
  throw Error(Code::kInvalidArgument, "Texts need a bundle with a tokenizer", bundle + " without",
              "Pass ids, or export it with its tokenizer");
}

void CheckRange(const std::vector<int32_t>& ids, int32_t count, const std::string& what,
                const char* remedy) {
  for (const int32_t id : ids) {
    if (id >= 0 && id < count) continue;
    throw Error(Code::kInvalidArgument, what + " must be from 0 to " + std::to_string(count - 1),
                std::to_string(id), remedy);
  }
}

void RefuseId(const std::vector<int32_t>& ids, int32_t special, const char* what) {
  const auto it = std::find(ids.begin(), ids.end(), special);
  if (it == ids.end()) return;
  throw Error(Code::kInvalidArgument, "Ids must be those of text, with padding at their end only",
              std::string(what) + " (" + std::to_string(special) + ") at place " +
                  std::to_string(it - ids.begin()),
              "Leave it out");
}

std::vector<int32_t> WithoutPadding(std::vector<int32_t> ids, int32_t pad) {
  while (!ids.empty() && ids.back() == pad) ids.pop_back();
  RefuseId(ids, pad, "padding");
  return ids;
}

}  // namespace tfcompress
