// What is done along a sentence.
#ifndef TFCOMPRESS_KERNELS_BODY_SEQUENCES_H_
#define TFCOMPRESS_KERNELS_BODY_SEQUENCES_H_

#include "kernels/body/math.h"

namespace tfcompress::kernels {
namespace {

void Convolve(const Convolution& convolution, const float* taps, const float* u, int32_t length,
              int32_t position, float* y) {
  const ptrdiff_t width = convolution.width;
  const int32_t first = position - convolution.before;
  const int32_t begin = first < 0 ? -first : 0;
  const int32_t end = Min(convolution.size, length - first);
  const int32_t block = convolution.width / convolution.heads;
  for (int32_t h = 0; h < convolution.heads; ++h) {
    const float* const own = taps + h * convolution.size;
    const float* const channels = u + first * width + h * block;
    ForVectors(block, [&](int32_t i, auto lanes) {
      F sum = {};
      for (int32_t k = begin; k < end; ++k) {
        sum = MulAdd(Set(own[k]), Load(channels + k * width + i, lanes), sum);
      }
      Store(sum, y + h * block + i, lanes);
    });
  }
}

// The rows of a sentence, from one end or the other.
struct Sentence {
  const float* values;
  float* y;
  ptrdiff_t stride;
  int32_t length;
  int32_t size;

  Sentence Mirrored() const {
    const ptrdiff_t last = (length - 1) * stride;
    return {values + last, y + last, -stride, length, size};
  }

  void Copy(const float* from, int32_t to) const {
    memcpy(y + to * stride, from, sizeof(float) * static_cast<size_t>(size));
  }

  const float* Row(int32_t i) const { return values + i * stride; }
};

// The first rows, which have no target.
inline void FillOutside(const Sentence& rows, int32_t count, bool to_self) {
  for (int32_t i = 0; i < Min(count, rows.length); ++i) {
    if (to_self) {
      rows.Copy(rows.Row(i), i);
    } else {
      memset(rows.y + i * rows.stride, 0, sizeof(float) * static_cast<size_t>(rows.size));
    }
  }
}

inline void Previous(const Sentence& rows, bool to_self) {
  FillOutside(rows, 1, to_self);
  for (int32_t i = 1; i < rows.length; ++i) rows.Copy(rows.Row(i - 1), i);
}

// The average of `count` numbers that weigh 1, 8, 27... count**3, from that of all but the last.
inline void Extend(const float* average, const float* last, int32_t count, int32_t size, float* y) {
  const auto k = static_cast<float>(count);
  const float share = 4 * k / ((k + 1) * (k + 1));
  ForVectors(size, [&](int32_t i, auto lanes) {
    const F old = Load(average + i, lanes);
    Store(MulAdd(Load(last + i, lanes) - old, Set(share), old), y + i, lanes);
  });
}

inline void LeftContext(const Sentence& rows, bool to_self) {
  FillOutside(rows, 2, to_self);
  if (rows.length > 2) rows.Copy(rows.Row(0), 2);
  for (int32_t i = 3; i < rows.length; ++i) {
    float* const y = rows.y + i * rows.stride;
    Extend(y - rows.stride, rows.Row(i - 2), i - 1, rows.size, y);
  }
}

inline void SentenceEnd(const Sentence& rows) {
  rows.Copy(rows.Row(0), 0);
  for (int32_t i = 1; i < rows.length; ++i) {
    Extend(rows.y, rows.Row(i), i + 1, rows.size, rows.y);
  }
  for (int32_t i = 1; i < rows.length; ++i) rows.Copy(rows.y, i);
}

void Average(Pattern pattern, bool to_self, const float* values, int32_t length, int32_t size,
             ptrdiff_t stride, float* y) {
  const Sentence rows = {values, y, stride, length, size};
  switch (pattern) {
    case Pattern::kCurrent:
      for (int32_t i = 0; i < length; ++i) rows.Copy(rows.Row(i), i);
      return;
    case Pattern::kPrevious:
      return Previous(rows, to_self);
    case Pattern::kNext:
      return Previous(rows.Mirrored(), to_self);
    case Pattern::kLeftContext:
      return LeftContext(rows, to_self);
    case Pattern::kRightContext:
      return LeftContext(rows.Mirrored(), to_self);
    case Pattern::kSentenceEnd:
      return SentenceEnd(rows);
    case Pattern::kSentenceStart:
      return SentenceEnd(rows.Mirrored());
    case Pattern::kLastToken:
      for (int32_t i = 0; i < length; ++i) rows.Copy(rows.Row(length - 1), i);
  }
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_SEQUENCES_H_
