#include "runtime/ids.h"

#include <algorithm>
#include <string>

#include "common/error.h"

namespace tfcompress {

using Code = Error::Code;

void CheckRange(const std::vector<int32_t>& ids, int32_t count, const char* what, const char* whose,
                const char* remedy) {
  for (const int32_t id : ids) {
    if (id >= 0 && id < count) continue;
    throw Error(Code::kInvalidArgument, what + std::to_string(id) + " is outside the " + whose +
                                            " 0 to " + std::to_string(count - 1) + remedy);
  }
}

void RefuseId(const std::vector<int32_t>& ids, int32_t special, const char* what) {
  const auto found = std::find(ids.begin(), ids.end(), special);
  if (found == ids.end()) return;
  throw Error(Code::kInvalidArgument,
              std::string("the ids have ") + what + " (" + std::to_string(special) + ") at place " +
                  std::to_string(found - ids.begin()) +
                  ", where it has no meaning; give the ids of text, and padding at their end only");
}

std::vector<int32_t> WithoutPadding(std::vector<int32_t> ids, int32_t pad) {
  while (!ids.empty() && ids.back() == pad) ids.pop_back();
  RefuseId(ids, pad, "padding");
  return ids;
}

}  // namespace tfcompress
