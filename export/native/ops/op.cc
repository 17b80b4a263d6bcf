#include "ops/op.h"

#include "ops/all.h"

namespace tfcompress::ops {

const std::vector<const Op*>& All() {
  static const std::vector<const Op*> all = {
      &kGroupTransform,  &kFixedPatterns,    &kDynamicConv,
      &kLightweightConv, &kDynamicConvStep,  &kLightweightConvStep,
      &kCachedAttention, &kMemoryAttention,  &kTopLogits,
      &kDecoder,         &kRecurrentDecoder, &kEncoderLayer};
  return all;
}

const Op* Find(const std::string& name) {
  for (const Op* op : All()) {
    if (name == op->name) return op;
  }
  return nullptr;
}

}  // namespace tfcompress::ops
