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

  // Gives back what was taken since then.
  struct Mark {
    size_t block;
    size_t used;
  };
  Mark Here() const { return {block_, used_}; }
  void Return(const Mark& mark) {
    block_ = mark.block;
    used_ = mark.used;
  }

  // Memory for some values, not initialized, aligned to 64 bytes; until it is given back.
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
  size_t block_ = 0;  // The one that is taken from, and how much of it was.
  size_t used_ = 0;
};

}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_SCRATCH_H_
