#ifndef TFCOMPRESS_KERNELS_SCRATCH_H_
#define TFCOMPRESS_KERNELS_SCRATCH_H_

#include <cstddef>
#include <memory>
#include <vector>

namespace tfcompress::kernels {

// Memory for what an operation needs while it runs. It is kept for the next one, and grows to what
// the largest one takes.
class Scratch {
 public:
  // Gives back all that was taken.
  void Reset();

  // Memory for some values, not initialized, aligned to 64 bytes; until the next `Reset`.
  template <typename T>
  T* Take(size_t count) {
    return static_cast<T*>(TakeBytes(count, sizeof(T)));
  }

 private:
  struct Block {
    std::unique_ptr<unsigned char[]> memory;
    size_t size;
  };

  void* TakeBytes(size_t count, size_t size);

  std::vector<Block> blocks_;
  size_t used_ = 0;  // Of the last block.
};

}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_SCRATCH_H_
