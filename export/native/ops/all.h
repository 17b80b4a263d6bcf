#ifndef TFCOMPRESS_OPS_ALL_H_
#define TFCOMPRESS_OPS_ALL_H_

#include "ops/op.h"

namespace tfcompress::ops {

extern const Op kGroupTransform;
extern const Op kFixedPatterns;
extern const Op kDynamicConv;
extern const Op kLightweightConv;
extern const Op kDynamicConvStep;
extern const Op kLightweightConvStep;
extern const Op kCachedAttention;
extern const Op kMemoryAttention;
extern const Op kTopLogits;
extern const Op kDecoder;
extern const Op kRecurrentDecoder;
extern const Op kEncoderLayer;

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_ALL_H_
