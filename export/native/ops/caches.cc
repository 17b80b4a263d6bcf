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

Groups GroupsOf(const Operands& operands, int32_t batch, int32_t count) {
  operands.Require(batch % count == 0, "the sentences have not as many rows each");
  return {count, batch / count};
}

Memories ReadMemories(Operands* operands, int32_t batch) {
  const Groups sentences = GroupsOf(*operands, batch, operands->Peek(4)[0]);
  return {ReadCaches(operands, sentences.count), sentences, nullptr};
}

Memories ReadPaddedMemories(Operands* operands, int32_t batch) {
  Memories memories = ReadMemories(operands, batch);
  memories.lengths = operands->Ints({memories.sentences.count});
  for (int32_t i = 0; i < memories.sentences.count; ++i) {
    operands->Require(
        memories.lengths[i] >= 1 && memories.lengths[i] <= memories.caches.keys.length,
        "a sentence is longer than its memory");
  }
  return memories;
}

int32_t PositionOf(const Operands& operands, const int32_t* position, int32_t length) {
  operands.Require(*position >= 0 && *position < length, "the position is beyond the cache");
  return *position;
}

Positions::Positions(Operands* operands, int32_t batch) {
  const Operands::Vector positions = operands->IntVector();
  operands->Require(positions.size == 1 || positions.size == batch,
                    "there must be one position, or one for each row");
  shared_ = positions.values[0];
  if (positions.size > 1) own_ = positions.values;
}

void Positions::Check(const Operands& operands, int32_t batch, int32_t length) const {
  for (int32_t row = 0; row < batch; ++row) {
    const int32_t position = (*this)[row];
    PositionOf(operands, &position, length);
  }
}

void AttendToCache(const kernels::Kernels& kernels, kernels::Scratch* scratch, int32_t batch,
                   const float* q, const float* k, const float* v, const Cache& keys,
                   const Cache& values, const Heads& heads, const Positions& positions,
                   float* context) {
  const ptrdiff_t width = keys.width;
  auto* const scores = scratch->Take<float>(static_cast<size_t>(keys.length));
  for (ptrdiff_t row = 0; row < static_cast<ptrdiff_t>(batch) * heads.count; ++row) {
    const ptrdiff_t head = row / heads.count * keys.heads + heads.first + row % heads.count;
    const int32_t position = positions[row / heads.count];
    float* const own_keys = keys.values + head * keys.length * width;
    float* const own_values = values.values + head * keys.length * width;
    std::copy_n(k + row * width, width, own_keys + position * width);
    std::copy_n(v + row * width, width, own_values + position * width);
    kernels.attend(
        {q + row * width, width, 1, own_keys, own_values, width, position + 1, keys.width}, scores,
        {context + row * width, width});
  }
}

void AttendToMemory(const kernels::Kernels& kernels, kernels::Scratch* scratch, const float* q,
                    const Memories& memories, const Heads& heads, float* context) {
  const auto& [keys, values] = memories.caches;
  const auto& [count, rows] = memories.sentences;
  const ptrdiff_t width = keys.width, stride = heads.count * width;
  auto* const scores =
      scratch->Take<float>(static_cast<size_t>(rows) * static_cast<size_t>(keys.length));
  for (ptrdiff_t sentence = 0; sentence < count; ++sentence) {
    const int32_t live = memories.lengths == nullptr ? keys.length : memories.lengths[sentence];
    const ptrdiff_t first_row = sentence * rows * stride;
    for (ptrdiff_t head = 0; head < heads.count; ++head) {
      const ptrdiff_t own = (sentence * keys.heads + heads.first + head) * keys.length * width;
      const ptrdiff_t at = first_row + head * width;
      kernels.attend(
          {q + at, stride, rows, keys.values + own, values.values + own, width, live, keys.width},
          scores, {context + at, stride});
    }
  }
}

}  // namespace tfcompress::ops
