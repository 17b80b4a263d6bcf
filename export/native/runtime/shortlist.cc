#include "runtime/shortlist.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "common/error.h"

namespace tfcompress {
namespace {

using Code = Error::Code;

constexpr char kMagic[] = {'T', 'F', 'C', 'S', 'H', 'O', 'R', 'T'};
constexpr uint32_t kVersion = 1;
constexpr size_t kWordBits = 64;

// What a file begins with. All its numbers are little-endian, as this library's targets are.
struct Header {
  char magic[sizeof(kMagic)];
  uint32_t version;
  uint32_t source_vocabulary;
  uint32_t target_vocabulary;
  uint32_t frequent;
  uint32_t targets;
};
static_assert(sizeof(Header) == 28, "as in the file");

void Mark(int32_t id, std::vector<uint64_t>* marks) {
  const auto bit = static_cast<size_t>(id);
  (*marks)[bit / kWordBits] |= uint64_t{1} << bit % kWordBits;
}

}  // namespace

Shortlist Shortlist::Parse(const Bytes& bytes, std::string name, int32_t source_vocabulary,
                           int32_t target_vocabulary) {
  const auto require = [&name](bool holds, const std::string& problem) {
    if (!holds) {
      throw Error(Code::kBadBundle, "The shortlist cannot be used", name + ", " + problem,
                  kCopyAgain);
    }
  };
  Header header = {};
  require(bytes.size() >= sizeof(header), "which is none");
  std::memcpy(&header, bytes.data(), sizeof(header));
  require(std::equal(kMagic, kMagic + sizeof(kMagic), header.magic), "which is none");
  require(header.version == kVersion, "of version " + std::to_string(header.version) +
                                          " instead of " + std::to_string(kVersion));
  require(header.source_vocabulary == static_cast<uint32_t>(source_vocabulary) &&
              header.target_vocabulary == static_cast<uint32_t>(target_vocabulary),
          "for vocabularies of " + std::to_string(header.source_vocabulary) + " and " +
              std::to_string(header.target_vocabulary) + " ids instead of " +
              std::to_string(source_vocabulary) + " and " + std::to_string(target_vocabulary));
  const uint64_t numbers =
      uint64_t{header.frequent} + header.source_vocabulary + 1 + header.targets;
  require(bytes.size() == sizeof(header) + numbers * sizeof(int32_t),
          "of another length than its header says");

  const auto* frequent = reinterpret_cast<const int32_t*>(bytes.data() + sizeof(header));
  const int32_t* frequent_end = frequent + header.frequent;
  const int32_t* last_offset = frequent_end + header.source_vocabulary;
  Shortlist shortlist;
  shortlist.bytes_ = bytes;
  shortlist.source_vocabulary_ = source_vocabulary;
  shortlist.offsets_ = frequent_end;
  shortlist.targets_ = last_offset + 1;
  require(header.frequent > 0 &&
              std::adjacent_find(frequent, frequent_end, std::greater_equal<>()) == frequent_end,
          "whose frequent targets do not ascend");
  require(shortlist.offsets_[0] == 0 && std::is_sorted(shortlist.offsets_, shortlist.targets_) &&
              static_cast<uint32_t>(*last_offset) == header.targets,
          "whose offsets do not rise from 0 to its targets");
  const auto is_target = [&](int32_t id) { return id >= 0 && id < target_vocabulary; };
  require(std::all_of(frequent, frequent_end, is_target) &&
              std::all_of(shortlist.targets_, shortlist.targets_ + header.targets, is_target),
          "with ids outside the vocabulary");

  shortlist.frequent_.resize((header.target_vocabulary + kWordBits - 1) / kWordBits);
  std::for_each(frequent, frequent_end, [&](int32_t id) { Mark(id, &shortlist.frequent_); });
  return shortlist;
}

std::vector<int32_t> Shortlist::Candidates(const std::vector<int32_t>& source_ids) const {
  std::vector<uint64_t> marks = frequent_;
  for (int32_t id : source_ids) {
    if (id < 0 || id >= source_vocabulary_) {
      throw Error(
          Code::kInvalidArgument,
          "Ids of the shortlist must be from 0 to " + std::to_string(source_vocabulary_ - 1),
          std::to_string(id), "Use the tokenizer of this bundle");
    }
    for (int32_t i = offsets_[id]; i < offsets_[id + 1]; ++i) Mark(targets_[i], &marks);
  }
  std::vector<int32_t> candidates;
  for (size_t word = 0; word < marks.size(); ++word) {
    for (uint64_t left = marks[word]; left != 0; left &= left - 1) {
      const size_t bit = word * kWordBits + static_cast<size_t>(__builtin_ctzll(left));
      candidates.push_back(static_cast<int32_t>(bit));
    }
  }
  return candidates;
}

}  // namespace tfcompress
