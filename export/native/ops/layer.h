#ifndef TFCOMPRESS_OPS_LAYER_H_
#define TFCOMPRESS_OPS_LAYER_H_

#include "ops/caches.h"
#include "ops/compute.h"

namespace tfcompress::ops {

// What decoder and encoder layers are made of.

struct Norm {
  const float* gamma;
  const float* beta;
};

Norm ReadNorm(Operands* operands, int64_t width);

struct FeedForward {
  Dense first;
  Dense second;
  kernels::Activation activation;
};

FeedForward ReadFeedForward(Operands* operands, int64_t width, kernels::Activation activation);

// Attention to the encoder's output.
struct MemoryAttention {
  Dense query;
  Dense output;
};

MemoryAttention ReadMemoryAttention(Operands* operands, int64_t width, int64_t inner);

// The rows of a layer's state, which its parts change one after another.
class Residual {
 public:
  // The state begins as x and stays in y.
  Residual(const kernels::Kernels& kernels, kernels::Scratch* scratch, const float* x,
           int32_t count, int32_t width, bool normalize_first, float epsilon, float* y);

  // Adds what a part gives for the state, normalized before or else after it. The part is called
  // with its input and the place of its output, [count, width] both.
  template <typename Part>
  void Apply(const Norm& norm, const Part& part) {
    const float* input = state_;
    if (normalize_first_) input = Normalize(norm, input_);
    part(input, change_);
    kernels_.add(change_, count_ * width_, state_);
    if (!normalize_first_) Normalize(norm, state_);
  }

  void ApplyMemoryAttention(const Norm& norm, const MemoryAttention& attention,
                            const Memories& memories, const Heads& heads);
  void ApplyFeedForward(const Norm& norm, const FeedForward& layers);

 private:
  const float* Normalize(const Norm& norm, float* to);

  const kernels::Kernels& kernels_;
  kernels::Scratch* scratch_;
  int32_t count_;
  int32_t width_;
  bool normalize_first_;
  float epsilon_;
  float* state_;
  float* input_;
  float* change_;
};

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_LAYER_H_
