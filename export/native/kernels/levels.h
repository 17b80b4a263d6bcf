#ifndef TFCOMPRESS_KERNELS_LEVELS_H_
#define TFCOMPRESS_KERNELS_LEVELS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/schema.h"

namespace tfcompress::kernels {

// The types of processors that the kernels are compiled for.
enum class Level : int32_t { kPortable, kAvx2, kAvxVnni, kAvx512Vnni, kNeonDot, kNeonI8mm };

// Those that run here, the best one last.
const std::vector<Level>& AvailableLevels();
bool Available(Level level);
// The best one, or the one that the environment variable TFCOMPRESS_LEVEL names.
Level Best();
const char* Name(Level level);
// Throws Error (kInvalidArgument) if there is no such level or if it does not run here.
Level FromName(const std::string& name);

enum class Type : int32_t { kFloat32, kInt32, kInt8, kInt4, kInt8Panels, kInt4Panels };

// Panels are quantized values in the order in which they are multiplied: kPanelRows rows one after
// another, of which each has kPanelCols values for the first columns, then for the next ones. The
// rows stand in the order 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, so that sums of
// neighbours come out in theirs. What a panel lacks is filled up with zeros. Of int4, each byte has
// a value of the first eight of these rows in its low half and one of the others in its high half,
// both with kInt4Bias added.
constexpr int32_t kPanelRows = 16;
constexpr int32_t kPanelCols = 8;
constexpr int32_t kInt4Bias = 8;

constexpr int32_t CeilDiv(int32_t a, int32_t b) { return a / b + (a % b == 0 ? 0 : 1); }

// A matrix, row-major but for panels. int8 and int4 values are to be multiplied by the scale of
// their row, or of their block of a row. int4 values stand two to a byte, the first one in the low
// half.
struct Weight {
  Type type;
  const void* data;
  // [rows], or with blocks [rows, cols / block], of panels [panels, cols / block, kPanelRows];
  // unused for float32.
  const float* scales;
  int32_t rows;
  int32_t cols;
  int32_t block;  // 32, or 0: one scale a row.
};

// A row of activations rounded to int8 is its values times 127 / (their largest magnitude). A row
// of zeros has scale 0, as has one of nothing above 1e-30; one that is not finite has scale NaN.
struct RowScale {
  float scale;
  int32_t sum;  // Of the rounded values.
};

constexpr int32_t kQuantizedAlignment = 128;

// How many values a quantized row has, the padding included.
constexpr int32_t Padded(int32_t cols) {
  return (cols + kQuantizedAlignment - 1) / kQuantizedAlignment * kQuantizedAlignment;
}
// How many bytes it takes: its values, in two orders, and a number for each block of them.
constexpr ptrdiff_t QuantizedBytes(int32_t cols) {
  return ptrdiff_t{Padded(cols)} * 2 +
         Padded(cols) / kInt4Block * static_cast<ptrdiff_t>(sizeof(int32_t));
}

size_t MatrixBytes(Type type, int32_t rows, int32_t cols);
// One of `parts` matrices of the same shape that stand one below the other.
Weight PartOf(const Weight& weight, int32_t part, int32_t parts);

// Rows of activations, `stride` floats apart. `quantized` and `scales` are what `quantize` made of
// them, needed by all weights but those of float32.
struct Input {
  const float* values;
  ptrdiff_t stride;
  int32_t count;
  int32_t cols;
  const void* quantized;
  const RowScale* scales;
};

// The rows of a weight to multiply by: `count` of them from `first` on, or where `ids` is not null,
// those that ids[first], ids[first + 1]... number.
struct Selection {
  int32_t first;
  int32_t count;
  const int32_t* ids;
};

struct Output {
  float* values;
  ptrdiff_t stride;
};

enum class Activation : int32_t { kLinear, kRelu, kGelu, kSwish, kTanh, kSigmoid, kGeluTanh };
constexpr int32_t kNumActivations = 7;

// Attention of some queries over `live` keys and values of one head of `width` channels.
struct Attention {
  const float* queries;
  ptrdiff_t query_stride;
  int32_t count;
  const float* keys;
  const float* values;
  ptrdiff_t stride;  // Of keys and of values.
  int32_t live;
  int32_t width;
};

enum class Pattern : int32_t {
  kCurrent,
  kPrevious,
  kNext,
  kLeftContext,
  kRightContext,
  kSentenceEnd,
  kSentenceStart,
  kLastToken
};
constexpr int32_t kNumPatterns = 8;

// A convolution in depth: channels in `heads` blocks, each with `size` taps of its own, tap k for
// the position k - before further on.
struct Convolution {
  int32_t heads;
  int32_t size;
  int32_t before;
  int32_t width;  // All channels.
};

// The computations, compiled for one level. Nothing is checked here.
struct Kernels {
  // `quantized` has room for count * QuantizedBytes(cols) bytes.
  void (*quantize)(const Input& input, void* quantized, RowScale* scales);
  // Adds to quantized rows what weights of int4 need, unless they are panels without blocks.
  void (*complete)(const Input& input, void* quantized);

  // y[r, o] = x[r] . w[o] + bias[o], over the selected rows o. `bias` may be null. Of panels all
  // rows are taken.
  void (*multiply)(const Input& input, const Weight& weight, const Selection& selection,
                   const float* bias, const Output& y);

  // y += x.
  void (*add)(const float* x, int32_t size, float* y);

  void (*normalize)(const float* x, int32_t size, const float* gamma, const float* beta,
                    float epsilon, float* y);

  void (*activate)(Activation activation, int32_t size, float* x);

  // Of each row of x [rows, size].
  void (*softmax)(int32_t rows, int32_t size, float* x);

  // y[j * groups + k] = x[k * own + j].
  void (*interleave)(const float* x, int32_t groups, int32_t own, float* y);

  // y = x[:size] * sigmoid(x[size:]).
  void (*gate)(const float* x, int32_t size, float* y);

  // `scores` has room for [count, live].
  void (*attend)(const Attention& attention, float* scores, const Output& context);

  // y, a row, is the convolution of u [length, width] at a position. Taps are [heads, size];
  // positions outside count as zeros.
  void (*convolve)(const Convolution& convolution, const float* taps, const float* u,
                   int32_t length, int32_t position, float* y);

  // Averages `length` rows of `size` values, `stride` floats apart, with the weights of a pattern.
  void (*average)(Pattern pattern, bool to_self, const float* values, int32_t length, int32_t size,
                  ptrdiff_t stride, float* y);

  // The first index from `begin` on of a value above a threshold; `size` if there is none.
  int32_t (*find_above)(const float* x, int32_t begin, int32_t size, float threshold);
  float (*largest)(const float* x, int32_t size);
  // The sum of exp(x - shift).
  float (*sum_exp)(const float* x, int32_t size, float shift);
};

const Kernels& For(Level level);

extern const Kernels kPortableKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvxVnniKernels;
extern const Kernels kAvx512VnniKernels;
extern const Kernels kNeonDotKernels;
extern const Kernels kNeonI8mmKernels;

}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_LEVELS_H_
