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

// Rows of a batch stand together in groups, one after another and of one size each.
struct Groups {
  int32_t count;
  int32_t rows;  // Of each.
};

// Throws Error unless so many groups divide the batch.
Groups GroupsOf(const Operands& operands, int32_t batch, int32_t count);

// The keys and values of sentences, each with as many rows of the batch.
struct Memories {
  Caches caches;
  Groups sentences;
  // How many positions of each there are, behind which is padding; null: all.
  const int32_t* lengths;
};

// Reads the next two operands.
Memories ReadMemories(Operands* operands, int32_t batch);
// Reads the next three.
Memories ReadPaddedMemories(Operands* operands, int32_t batch);

// The data of an output that is an input but for what the operation writes there: the input's own
// data, or else a copy of it.
float* Updated(const Tensor& input, const Tensor& output);

int32_t PositionOf(const Operands& operands, const int32_t* position, int32_t length);

// The position of each row.
class Positions {
 public:
  // Of all alike.
  explicit Positions(int32_t position) : shared_(position) {}
  // Reads the next operand, of one position or of as many as rows.
  Positions(Operands* operands, int32_t batch);

  int32_t operator[](ptrdiff_t row) const { return own_ == nullptr ? shared_ : own_[row]; }
  // Throws Error unless all are within a cache.
  void Check(const Operands& operands, int32_t batch, int32_t length) const;

 private:
  int32_t shared_ = 0;
  const int32_t* own_ = nullptr;
};

// Some heads of a cache.
struct Heads {
  int32_t first;
  int32_t count;
};

// Those that a config names; throws Error if the cache lacks them.
Heads Within(const Operands& operands, int32_t first, int32_t count, const Cache& cache);

// Writes the new keys and values [batch, heads * width] at each row's position, and attends over
// all up to there. The context is [batch, heads * width].
void AttendToCache(const kernels::Kernels& kernels, kernels::Scratch* scratch, int32_t batch,
                   const float* q, const float* k, const float* v, const Cache& keys,
                   const Cache& values, const Heads& heads, const Positions& positions,
                   float* context);

// Attends over all that there is of the sentences' memories.
void AttendToMemory(const kernels::Kernels& kernels, kernels::Scratch* scratch, const float* q,
                    const Memories& memories, const Heads& heads, float* context);

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_CACHES_H_
