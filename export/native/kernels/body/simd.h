// Vectors of TFC_WIDTH floats or integers. Like all bodies, this is compiled once for each level
// and must leave no symbol that another unit could be linked against: all is in an unnamed
// namespace, and nothing of the standard library is used but memcpy.
#ifndef TFCOMPRESS_KERNELS_BODY_SIMD_H_
#define TFCOMPRESS_KERNELS_BODY_SIMD_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/levels.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kWidth = TFC_WIDTH;

#if TFC_WIDTH == 1
using F = float;
using I = int32_t;
using U = uint32_t;
#else
typedef float F __attribute__((vector_size(4 * TFC_WIDTH)));
typedef int32_t I __attribute__((vector_size(4 * TFC_WIDTH)));
typedef uint32_t U __attribute__((vector_size(4 * TFC_WIDTH)));
#endif

template <typename To, typename From>
inline To Bits(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "bits have a size");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

inline F Set(float x) { return x - F{}; }

inline F ToFloat(I x) {
#if TFC_WIDTH == 1
  return static_cast<float>(x);
#else
  return __builtin_convertvector(x, F);
#endif
}

inline int32_t Min(int32_t a, int32_t b) { return a < b ? a : b; }
// The second one if either is no number.
inline F Min(F a, F b) { return a < b ? a : b; }
inline F Max(F a, F b) { return a > b ? a : b; }

// All lanes of a vector, or the first few of it.
struct Full {};
struct Part {
  int32_t count;
};

inline F Load(const float* from, Full = {}) {
  F x;
  memcpy(&x, from, sizeof(x));
  return x;
}

inline F Load(const float* from, Part part, float fill = 0) {
  float lanes[kWidth];
  for (int32_t i = 0; i < kWidth; ++i) lanes[i] = i < part.count ? from[i] : fill;
  return Load(lanes);
}

inline F Load(const float* from, Full, float) { return Load(from); }

inline void Store(F x, float* to, Full = {}) { memcpy(to, &x, sizeof(x)); }

inline void Store(F x, float* to, Part part) {
  float lanes[kWidth];
  Store(x, lanes);
  for (int32_t i = 0; i < part.count; ++i) to[i] = lanes[i];
}

// Calls body(i, lanes) for all vectors of `size` values.
template <typename Body>
inline void ForVectors(int32_t size, const Body& body) {
  int32_t i = 0;
  for (; i + kWidth <= size; i += kWidth) body(i, Full{});
  if (i < size) body(i, Part{size - i});
}

// Combines all lanes, each half with the other.
template <typename T, int32_t kLanes, typename Vector, typename Combine>
inline T Fold(const Vector& x, const Combine& combine) {
  if constexpr (kLanes == 1) {
    return Bits<T>(x);
  } else if constexpr (kLanes == 4) {
    return combine(combine(x[0], x[1]), combine(x[2], x[3]));
  } else {
    typedef T Half __attribute__((vector_size(sizeof(T) * kLanes / 2)));
    Half halves[2];
    memcpy(halves, &x, sizeof(x));
    return Fold<T, kLanes / 2>(combine(halves[0], halves[1]), combine);
  }
}

inline float Sum(F x) {
  return Fold<float, kWidth>(x, [](auto a, auto b) { return a + b; });
}

inline int32_t Sum(I x) {
  return Fold<int32_t, kWidth>(x, [](auto a, auto b) { return a + b; });
}

inline float Largest(F x) {
  return Fold<float, kWidth>(x, [](auto a, auto b) { return a > b ? a : b; });
}

inline uint32_t Largest(U x) {
  return Fold<uint32_t, kWidth>(x, [](auto a, auto b) { return a > b ? a : b; });
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_SIMD_H_
