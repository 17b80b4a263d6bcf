#ifndef TFCOMPRESS_OPS_PACK_H_
#define TFCOMPRESS_OPS_PACK_H_

#include "ops/op.h"

namespace tfcompress::ops {

// A pack is one tensor of bytes that holds the constant inputs of an operation, as a runtime takes
// its time over each tensor that it hands to one. Its first extent is the width of the operation's
// first output. It begins with 32-bit integers: how many tensors there are, and of each its type,
// its rank, four extents, and where its values begin, counted in 64 bytes from the pack's start.

// How many inputs an operation has where constants are packed.
size_t NumPacked(const Op& op);

// Puts computed inputs, which stand one after another, where the operation expects them. The others
// are left alone.
template <typename T>
void PlaceComputed(const Op& op, const T* computed, T* inputs) {
  for (size_t i = 0; i < op.num_inputs; ++i) {
    if ((op.computed >> i & 1) != 0) inputs[i] = *computed++;
  }
}

// Fills in the inputs that a pack holds, after adding places for those of layers. Throws Error
// (kBadBundle) unless all lie within it.
void Unpack(const Op& op, const Tensor& pack, Tensors* inputs);

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_PACK_H_
