#ifndef TFCOMPRESS_RUNTIME_SHORTLIST_H_
#define TFCOMPRESS_RUNTIME_SHORTLIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace tfcompress {

// The target ids that the translation of a sentence is likely to need.
class Shortlist {
 public:
  // Reads the file of a shortlist, which the result shares. Throws Error (kBadBundle) if it is
  // damaged, of another version or for other vocabularies; `name` is what the message calls it.
  static Shortlist Parse(const Bytes& bytes, std::string name, int32_t source_vocabulary,
                         int32_t target_vocabulary);

  // Distinct target ids, ascending, never none: the frequent ones and the likeliest translations of
  // each source id. Throws Error (kInvalidArgument) for an id outside the source vocabulary.
  std::vector<int32_t> Candidates(const std::vector<int32_t>& source_ids) const;

 private:
  Shortlist() = default;

  Bytes bytes_;                     // What the pointers point into.
  int32_t source_vocabulary_ = 0;   // The number of source ids.
  const int32_t* offsets_ = {};     // Source `i` has `targets_[offsets_[i]:offsets_[i + 1]]`.
  const int32_t* targets_ = {};     // The translations of all source ids.
  std::vector<uint64_t> frequent_;  // A bit for each target id.
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_SHORTLIST_H_
