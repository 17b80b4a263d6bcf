// Functions of vectors. A level gives MulAdd(a, b, c) = a * b + c.
#ifndef TFCOMPRESS_KERNELS_BODY_MATH_H_
#define TFCOMPRESS_KERNELS_BODY_MATH_H_

#include "kernels/body/simd.h"

namespace tfcompress::kernels {
namespace {

// 1.5 * 2**23: added to a number, it leaves the nearest integer in the low bits.
constexpr float kRounder = 12582912.0f;

// a[0] + a[1] * x + ...
template <size_t kSize>
inline F Polynomial(F x, const float (&a)[kSize]) {
  F y = Set(a[kSize - 1]);
  for (size_t i = kSize - 1; i-- > 0;) y = MulAdd(y, x, Set(a[i]));
  return y;
}

inline F Exp(F x) {
  constexpr float kLn2High = 355.0f / 512, kLn2Low = -2.12194440e-4f;
  constexpr float kTaylor[] = {1, 1, 1.0f / 2, 1.0f / 6, 1.0f / 24, 1.0f / 120, 1.0f / 720};
  x = Min(Set(88), Max(Set(-87), x));  // Which leaves NaNs as they are.
  const F rounded = MulAdd(x, Set(1.44269504f), Set(kRounder));
  const F n = rounded - kRounder;
  const F rest = MulAdd(n, Set(-kLn2Low), MulAdd(n, Set(-kLn2High), x));
  return Bits<F>(Bits<U>(Polynomial(rest, kTaylor)) + (Bits<U>(rounded) << 23));
}

inline F Sigmoid(F x) { return 1 / (1 + Exp(-x)); }

// The normal distribution, by formula 7.1.26 of Abramowitz and Stegun.
inline F NormalCdf(F x) {
  constexpr float kTail[] = {0,           0.254829592f, -0.284496736f, 1.421413741f, -1.453152027f,
                             1.061405429f};
  const F t = 1 / MulAdd(Max(x, -x), Set(0.3275911f * 0.70710678f), Set(1));
  const F tail = 0.5f * Polynomial(t, kTail) * Exp(-0.5f * x * x);
  return x < 0 ? tail : 1 - tail;
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_MATH_H_
