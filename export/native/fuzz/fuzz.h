#ifndef TFCOMPRESS_FUZZ_FUZZ_H_
#define TFCOMPRESS_FUZZ_FUZZ_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

// libFuzzer's own mutation.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace tfcompress::fuzz {

// Runs what may refuse its input with an Error; whatever else it throws ends the program.
template <typename Action>
void Refusable(Action action) {
  try {
    action();
  } catch (const Error&) {
  }
}

// Takes an input apart.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  // A number, little-endian; what is lacking counts as zeros.
  template <typename T>
  T Take() {
    T value = {};
    const size_t size = std::min(sizeof(value), rest_.size());
    std::memcpy(&value, rest_.data(), size);
    rest_.remove_prefix(size);
    return value;
  }
  // Bytes, of which two say how many there are.
  std::string_view TakeText() {
    const size_t size = std::min<size_t>(Take<uint16_t>(), rest_.size());
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Ids that are mostly those of a vocabulary.
inline std::vector<int32_t> TakeIds(Input* input, size_t most) {
  std::vector<int32_t> ids;
  for (char one : input->TakeText().substr(0, most)) ids.push_back(static_cast<signed char>(one));
  return ids;
}

// Alters words of 4 bytes, as binary files have: to what is a size, an offset or a type elsewhere.
inline size_t MutateWords(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  const size_t words = size / 4;
  if (words == 0 || random() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  constexpr int32_t kValues[] = {-1, 0, 1, 2, 3, 4, 7, 8, 16, 64, 255, 256, 65535, 65536, 1 << 24};
  for (unsigned left = 1 + random() % 3; left > 0; --left) {
    const size_t place = random() % words * 4;
    int32_t value = 0;
    std::memcpy(&value, data + place, 4);
    switch (random() % 5) {
      case 0:
        value = kValues[random() % std::size(kValues)];
        break;
      case 1:
        value = static_cast<int32_t>(static_cast<uint32_t>(value) + random() % 17 - 8);
        break;
      case 2:
        std::memcpy(&value, data + random() % words * 4, 4);
        break;
      case 3:
        value ^= static_cast<int32_t>(1u << random() % 32);
        break;
      default:
        value = random() % 2 == 0 ? std::numeric_limits<int32_t>::max()
                                  : std::numeric_limits<int32_t>::min();
    }
    std::memcpy(data + place, &value, 4);
  }
  return size;
}

}  // namespace tfcompress::fuzz

#endif  // TFCOMPRESS_FUZZ_FUZZ_H_
