#include "kernels/scratch.h"

#include <algorithm>
#include <cstdint>
#include <new>

namespace tfcompress::kernels {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSmallestBlock = 1 << 16;

}  // namespace

void Scratch::Reset() {
  block_ = used_ = 0;
  if (blocks_.size() < 2) return;
  size_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  blocks_.clear();
  blocks_.push_back({std::make_unique<unsigned char[]>(total), total});
}

void* Scratch::TakeBytes(size_t count, size_t size) {
  if (count > (SIZE_MAX / 4) / size) throw std::bad_alloc();
  const size_t wanted = (count * size + 2 * kAlignment - 1) / kAlignment * kAlignment;
  while (block_ < blocks_.size() && blocks_[block_].size - used_ < wanted) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t grown = std::max(wanted, kSmallestBlock);
    blocks_.push_back({std::unique_ptr<unsigned char[]>(new unsigned char[grown]), grown});
    used_ = 0;
  }
  unsigned char* const start = blocks_[block_].memory.get() + used_;
  used_ += wanted;
  return start + (kAlignment - reinterpret_cast<uintptr_t>(start) % kAlignment) % kAlignment;
}

}  // namespace tfcompress::kernels
