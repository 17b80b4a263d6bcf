#include "ops/caches.h"

#include <algorithm>
#include <cstring>

namespace tfcompress::ops {

Cache ReadCache(Operands* operands, int32_t batch, int32_t heads, int32_t length, int32_t width) {
  return {operands->Floats({batch, heads, length, width}), heads, length, width};
}

Caches ReadCaches(Operands* operands, int32_t batch) {
  const int32_t* const dims = operands->Peek(4);
  const Cache keys = ReadCache(operands, batch, dims[1], dims[2], dims[3]);
  return {keys, ReadCache(operands, batch, dims[1], dims[2], dims[3])};
}

Heads Within(const Operands& operands, int32_t first, int32_t count, const Cache& cache) {
  operands.Require(first >= 0 && first <= cache.heads && count <= cache.heads - first,
                   "the config names heads that the caches lack");
  return {first, count};
}

float* Updated(const Tensor& input, const Tensor& output) {
  if (input.data != output.data) {
    size_t count = 1;
    for (int32_t i = 0; i < input.shape.rank; ++i) {
      count *= static_cast<size_t>(input.shape.dims[i]);
    }
    std::memcpy(output.data, input.data, count * sizeof(float));
  }
  return static_cast<float*>(output.data);
}

int32_t PositionOf(const Operands& operands, const int32_t* position, int32_t length) {
  operands.Require(*position >= 0 && *position < length, "the position is beyond the cache");
  return *position;
}

void AttendToCache(const kernels::Kernels& kernels, kernels::Scratch* scratch, int32_t batch,
                   const float* q, const float* k, const float* v, const Cache& keys,
                   const Cache& values, const Heads& heads, int32_t position, float* context) {
  const ptrdiff_t width = keys.width;
  auto* const scores = scratch->Take<float>(static_cast<size_t>(position) + 1);
  for (ptrdiff_t row = 0; row < static_cast<ptrdiff_t>(batch) * heads.count; ++row) {
    const ptrdiff_t head = row / heads.count * keys.heads + heads.first + row % heads.count;
    float* const own_keys = keys.values + head * keys.length * width;
    float* const own_values = values.values + head * keys.length * width;
    std::copy_n(k + row * width, width, own_keys + position * width);
    std::copy_n(v + row * width, width, own_values + position * width);
    kernels.attend(
        {q + row * width, width, 1, own_keys, own_values, width, position + 1, keys.width}, scores,
        {context + row * width, width});
  }
}

void AttendToMemory(const kernels::Kernels& kernels, kernels::Scratch* scratch, int32_t batch,
                    const float* q, const Cache& keys, const Cache& values, const Heads& heads,
                    float* context) {
  const ptrdiff_t width = keys.width, stride = heads.count * width;
  auto* const scores =
      scratch->Take<float>(static_cast<size_t>(batch) * static_cast<size_t>(keys.length));
  for (ptrdiff_t head = 0; head < heads.count; ++head) {
    const ptrdiff_t own = (heads.first + head) * keys.length * width;
    kernels.attend({q + head * width, stride, batch, keys.values + own, values.values + own, width,
                    keys.length, keys.width},
                   scores, {context + head * width, stride});
  }
}

}  // namespace tfcompress::ops
