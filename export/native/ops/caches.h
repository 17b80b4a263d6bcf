#ifndef TFCOMPRESS_OPS_CACHES_H_
#define TFCOMPRESS_OPS_CACHES_H_

#include "kernels/scratch.h"
#include "ops/operands.h"

namespace tfcompress::ops {

// The keys or the values of former positions, [batch, heads, length, width].
struct Cache {
  float* values;
  int32_t heads;
  int32_t length;
  int32_t width;
};

// Reads the next operand.
Cache ReadCache(Operands* operands, int32_t batch, int32_t heads, int32_t length, int32_t width);

// The keys and the values of several layers, the heads of one after those of another.
struct Caches {
  Cache keys;
  Cache values;
};

// Reads the next two operands.
Caches ReadCaches(Operands* operands, int32_t batch);

// The data of an output that is an input but for what the operation writes there: the input's own
// data, or else a copy of it.
float* Updated(const Tensor& input, const Tensor& output);

int32_t PositionOf(const Operands& operands, const int32_t* position, int32_t length);

// Some heads of a cache.
struct Heads {
  int32_t first;
  int32_t count;
};

// Those that a config names; throws Error if the cache lacks them.
Heads Within(const Operands& operands, int32_t first, int32_t count, const Cache& cache);

// Writes the new keys and values [batch, heads * width] at a position, and attends over all up to
// there. The context is [batch, heads * width].
void AttendToCache(const kernels::Kernels& kernels, kernels::Scratch* scratch, int32_t batch,
                   const float* q, const float* k, const float* v, const Cache& keys,
                   const Cache& values, const Heads& heads, int32_t position, float* context);

// Attends over all of a memory of one sentence, [1, heads, length, width].
void AttendToMemory(const kernels::Kernels& kernels, kernels::Scratch* scratch, int32_t batch,
                    const float* q, const Cache& keys, const Cache& values, const Heads& heads,
                    float* context);

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_CACHES_H_
