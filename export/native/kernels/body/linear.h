// Products of activations and rows of weights. A level gives:
// - StoreBytes(integers, to): stores integers that fit as bytes;
// - Int8 and Int4: kStep, how many weights are read at once; kBias, what is added to each; Weights
//   and Load(row, i, lanes), those from the i-th one of a row on; Values and LoadValues(x), the
//   rounded activations to go with them;
// - Dot(sums, weights, values): adds products to the sums; integers, in any lane, but of those of
//   Int4 each four lanes have the products of a block of 32;
// - BiasProducts(values): what the bias of Int4 adds to such sums;
// - SplitPairs(from, to): puts the second ones of pairs of activations, Int4::kStep in all, behind
//   the first ones, which is what Int4::LoadValues reads;
// - BlockScales(scales, lanes): the factors of the blocks that such sums of kColumns rows have
//   after AddColumns;
// - AddColumns(vectors): adds the lanes of each of kColumns vectors, into parts of their sums, four
//   lanes with four lanes;
// - AddParts(parts, sums): adds those of kTile such vectors, into kTile * kColumns sums. The sums
//   of several rows of activations are computed kTile at once.
#ifndef TFCOMPRESS_KERNELS_BODY_LINEAR_H_
#define TFCOMPRESS_KERNELS_BODY_LINEAR_H_

#include "kernels/body/math.h"

namespace tfcompress::kernels {
namespace {

// A quantized row: its values, the same as SplitPairs puts them, and what kInt4Bias adds to the
// products of each block of them.
class QuantizedRow {
 public:
  QuantizedRow(const Input& input, ptrdiff_t row)
      : QuantizedRow(static_cast<const int8_t*>(input.quantized), input.cols, row) {}

  const int8_t* values() const { return start_; }
  const int8_t* split() const { return start_ + padded_; }
  const int32_t* block_biases() const {
    return reinterpret_cast<const int32_t*>(start_ + 2 * padded_);
  }

 private:
  QuantizedRow(const int8_t* quantized, int32_t cols, ptrdiff_t row)
      : start_(quantized + row * QuantizedBytes(cols)), padded_(Padded(cols)) {}

  const int8_t* start_;
  ptrdiff_t padded_;
};

inline RowScale RoundRow(const float* x, int32_t size, int8_t* quantized) {
  // Compared as integers, infinities and NaNs are the largest.
  U bits = {};
  ForVectors(size, [&](int32_t i, auto lanes) {
    const U magnitude = Bits<U>(Load(x + i, lanes)) & 0x7fffffffu;
    bits = magnitude > bits ? magnitude : bits;
  });
  const float largest = Bits<float>(Largest(bits));
  int8_t* const end = quantized + Padded(size);
  if (!(largest > 1e-30f && largest <= 3.40282347e38f)) {
    memset(quantized, 0, static_cast<size_t>(end - quantized));
    return {largest <= 1e-30f ? 0 : __builtin_nanf(""), 0};
  }
  const float factor = 127 / largest;
  I sums = {};
  ForVectors(size, [&](int32_t i, auto lanes) {
    const F rounded = Load(x + i, lanes) * factor + kRounder;
    const I value = Bits<I>(rounded) - Bits<int32_t>(kRounder);
    sums += value;
    StoreBytes(value, quantized);
    quantized += kWidth;
  });
  memset(quantized, 0, static_cast<size_t>(end - quantized));
  return {largest / 127, Sum(sums)};
}

inline void BlockBiases(const int8_t* x, int32_t padded, int32_t* biases) {
  for (int32_t i = 0; i < padded; i += kInt4Block) {
    int32_t sum = 0;
    for (int32_t k = 0; k < kInt4Block; ++k) sum += x[i + k];
    *biases++ = kInt4Bias * sum;
  }
}

void Quantize(const Input& input, void* quantized, RowScale* scales) {
  auto* row = static_cast<int8_t*>(quantized);
  for (ptrdiff_t r = 0; r < input.count; ++r, row += QuantizedBytes(input.cols)) {
    scales[r] = RoundRow(input.values + r * input.stride, input.cols, row);
  }
}

void Complete(const Input& input, void* quantized) {
  const int32_t padded = Padded(input.cols);
  auto* row = static_cast<int8_t*>(quantized);
  for (ptrdiff_t r = 0; r < input.count; ++r, row += QuantizedBytes(input.cols)) {
    for (int32_t i = 0; i < padded; i += Int4::kStep) SplitPairs(row + i, row + padded + i);
    BlockBiases(row, padded, reinterpret_cast<int32_t*>(row + 2 * padded));
  }
}

// Weights that are read side by side are fetched into the cache this many bytes before, line by
// line.
constexpr int32_t kAhead = 4096;
constexpr int32_t kLineBits = 512;
// Rows of at least so many bytes are read one after another, the order in which memory is fastest.
// In shorter ones each sum would wait for the one before.
constexpr int32_t kLongRow = 320;

// The sums of kColumns rows of weights.
#if TFC_WIDTH == 1
using BlockSums = float;
#else
typedef float BlockSums __attribute__((vector_size(16)));
#endif

struct WeightRow {
  const uint8_t* data;
  const float* scales;  // Of its blocks.
};

// The formats: how a step of weights and one of activations is read and multiplied.

struct Float32Format {
  using Value = float;
  using Sum = F;
  using Total = float;
  static constexpr int32_t kStep = kWidth;
  static constexpr int32_t kBits = 32;
  static constexpr int32_t kBias = 0;
  static constexpr bool kScaled = false;
  static constexpr bool kInBlocks = false;

  template <typename Lanes>
  static F LoadWeights(const WeightRow& row, int32_t i, Lanes lanes) {
    return Load(reinterpret_cast<const float*>(row.data) + i, lanes);
  }
  template <typename Lanes>
  static F LoadValues(const float* x, Lanes lanes) {
    return Load(x, lanes);
  }
  static F Add(F sum, F weights, F x) { return MulAdd(weights, x, sum); }
  static const float* InputRow(const Input& input, ptrdiff_t row) {
    return input.values + row * input.stride;
  }
};

template <typename Integers, int32_t kBitsOfOne>
struct IntegerFormat {
  using Value = int8_t;
  using Sum = I;
  using Total = int32_t;
  static constexpr int32_t kStep = Integers::kStep;
  static constexpr int32_t kBits = kBitsOfOne;
  static constexpr int32_t kBias = Integers::kBias;
  static constexpr bool kScaled = true;
  static constexpr bool kInBlocks = false;

  template <typename Lanes>
  static auto LoadWeights(const WeightRow& row, int32_t i, Lanes lanes) {
    return Integers::Load(row.data, i, lanes);
  }
  // Their rows are padded.
  template <typename Lanes>
  static auto LoadValues(const int8_t* x, Lanes) {
    return Integers::LoadValues(x);
  }
  static I Add(I sum, const typename Integers::Weights& weights,
               const typename Integers::Values& x) {
    return Dot(sum, weights, x);
  }
  static const int8_t* InputRow(const Input& input, ptrdiff_t row) {
    const QuantizedRow quantized(input, row);
    return kBits == 4 ? quantized.split() : quantized.values();
  }
};

using Int8Format = IntegerFormat<Int8, 8>;
using Int4Format = IntegerFormat<Int4, 4>;

// int4 with a scale for each 32 weights.
struct BlockFormat : Int4Format {
  using Total = float;
  static constexpr int32_t kBias = 0;
  static constexpr bool kScaled = false;
  static constexpr bool kInBlocks = true;
};

struct Product {
  const Input& input;
  const Weight& weight;
  ptrdiff_t weight_stride;  // In bytes.
  const Selection& selection;
  const float* bias;
  float factor;  // Of all of y, but for the bias.
  const Output& y;
};

constexpr int32_t kMostColumns = kTile * kColumns;
constexpr float kNoBias[kMostColumns] = {};

// The rows of a weight that some columns of y are products with, and what their sums are multiplied
// by and added to.
template <typename Format, int32_t kCols>
class Columns {
 public:
  // Where there are fewer columns from `first` on, the last one is repeated.
  Columns(const Product& product, int32_t first) : product_(product) {
    const auto& [begin, count, ids] = product.selection;
    if (ids == nullptr && count - first >= kCols) {
      const ptrdiff_t row = begin + first;
      const uint8_t* data = DataOf(row);
      for (int32_t c = 0; c < kCols; ++c, data += product.weight_stride) SetRow(c, row + c, data);
      if (Format::kScaled) scales_ = product.weight.scales + row;
      if (product.bias != nullptr) bias_ = product.bias + row;
      return;
    }
    for (int32_t c = 0; c < kCols; ++c) {
      const int32_t place = begin + Min(first + c, count - 1);
      const ptrdiff_t row = ids == nullptr ? place : ids[place];
      SetRow(c, row, DataOf(row));
      if (Format::kScaled) copied_scales_[c] = product.weight.scales[row];
      copied_bias_[c] = product.bias == nullptr ? 0 : product.bias[row];
    }
    scales_ = copied_scales_;
    bias_ = copied_bias_;
  }

  const WeightRow* rows() const { return rows_; }
  float scale(int32_t c) const { return Format::kScaled ? scales_[c] : 1; }
  float bias(int32_t c) const { return bias_[c]; }

 private:
  const uint8_t* DataOf(ptrdiff_t row) const {
    return static_cast<const uint8_t*>(product_.weight.data) + row * product_.weight_stride;
  }

  void SetRow(int32_t c, ptrdiff_t row, const uint8_t* data) {
    rows_[c].data = data;
    if (!Format::kInBlocks) return;
    const Weight& weight = product_.weight;
    rows_[c].scales = weight.scales + row * (weight.cols / kInt4Block);
  }

  const Product& product_;
  WeightRow rows_[kCols];
  const float* scales_ = nullptr;
  const float* bias_ = kNoBias;
  float copied_scales_[kCols];
  float copied_bias_[kCols];
};

// Calls step(i, lanes) for the steps of a row.
template <int32_t kStep, typename Step>
inline void ForSteps(int32_t size, const Step& step) {
  int32_t i = 0;
  for (; i + kStep <= size; i += kStep) step(i, Full{});
  if (i < size) step(i, Part{size - i});
}

// The products of kRows rows of activations with kColumns rows of weights, a vector of their parts
// for each row of activations. Each row of weights is read by itself.
template <typename Format, int32_t kRows>
inline void SumLongProducts(const typename Format::Value* const (&x)[kRows],
                            const WeightRow* weights, int32_t size, typename Format::Sum* parts) {
  typename Format::Sum sums[kRows][kColumns];
  for (int32_t c = 0; c < kColumns; ++c) {
    for (int32_t r = 0; r < kRows; ++r) {
      typename Format::Sum sum = {};
      ForSteps<Format::kStep>(size, [&](int32_t i, auto lanes) {
        sum = Format::Add(sum, Format::LoadWeights(weights[c], i, lanes),
                          Format::LoadValues(x[r] + i, lanes));
      });
      sums[r][c] = sum;
    }
  }
  for (int32_t r = 0; r < kRows; ++r) parts[r] = AddColumns(sums[r]);
}

// The same, where rows of weights are read side by side.
template <typename Format, int32_t kRows>
inline void SumProducts(const typename Format::Value* const (&x)[kRows], const WeightRow* weights,
                        int32_t size, typename Format::Sum* parts) {
  constexpr bool kWholeLines = Format::kStep * Format::kBits % kLineBits == 0;
  typename Format::Sum sums[kRows][kColumns];
  for (auto& row : sums) {
    for (auto& sum : row) sum = typename Format::Sum{};
  }
  ForSteps<Format::kStep>(size, [&](int32_t i, auto lanes) {
    decltype(Format::LoadValues(x[0], lanes)) values[kRows];
    for (int32_t r = 0; r < kRows; ++r) values[r] = Format::LoadValues(x[r] + i, lanes);
    for (int32_t c = 0; c < kColumns; ++c) {
      const ptrdiff_t bit = ptrdiff_t{i} * Format::kBits;
      if (kWholeLines || bit % kLineBits == 0) {
        __builtin_prefetch(weights[c].data + bit / 8 + kAhead);
      }
      const auto column = Format::LoadWeights(weights[c], i, lanes);
      for (int32_t r = 0; r < kRows; ++r) sums[r][c] = Format::Add(sums[r][c], column, values[r]);
    }
  });
  for (int32_t r = 0; r < kRows; ++r) parts[r] = AddColumns(sums[r]);
}

// The products of kRows rows of activations with kCols rows of weights, row by row.
template <typename Format, int32_t kRows, int32_t kCols>
inline void SumTile(const typename Format::Value* const (&x)[kRows], const WeightRow* weights,
                    int32_t size, typename Format::Total (&totals)[kRows * kCols]) {
  typename Format::Sum parts[kTile];
  if (kRows == 1 && ptrdiff_t{size} * Format::kBits >= 8 * kLongRow) {
    for (int32_t c = 0; c < kCols; c += kColumns) {
      SumLongProducts<Format>(x, weights + c, size, parts + c / kColumns);
    }
  } else {
    for (int32_t c = 0; c < kCols; c += kColumns) {
      SumProducts<Format>(x, weights + c, size, parts + c / kColumns);
    }
  }
  AddParts(parts, totals);
}

// The blocks that are read at once.
constexpr int32_t kBlocks = Int4::kStep / kInt4Block;
inline int32_t BlocksIn(Full) { return kBlocks; }
inline int32_t BlocksIn(Part part) { return part.count / kInt4Block; }

// The same of weights in blocks. Each block is added to a row's sum in its turn, so that all levels
// round alike.
template <int32_t kRows, int32_t kCols>
inline void SumBlockTile(const int8_t* const (&x)[kRows], const WeightRow* weights, int32_t size,
                         float (&totals)[kRows * kCols]) {
  constexpr int32_t kGroups = kCols / kColumns;
  BlockSums sums[kRows][kGroups] = {};
  ForSteps<Int4::kStep>(size, [&](int32_t i, auto lanes) {
    Int4::Values values[kRows];
    I starts[kRows];
    for (int32_t r = 0; r < kRows; ++r) {
      values[r] = Int4::LoadValues(x[r] + i);
      starts[r] = -BiasProducts(values[r]);
    }
#pragma GCC unroll 4
    for (int32_t g = 0; g < kGroups; ++g) {
      const WeightRow* const own = weights + g * kColumns;
      Int4::Weights columns[kColumns];
      const float* scales[kColumns];
      for (int32_t c = 0; c < kColumns; ++c) {
        __builtin_prefetch(own[c].data + i / 2 + kAhead);
        columns[c] = Int4::Load(own[c].data, i, lanes);
        scales[c] = own[c].scales + i / kInt4Block;
      }
      const F factors = BlockScales(scales, BlocksIn(lanes));
      for (int32_t r = 0; r < kRows; ++r) {
        I products[kColumns];
        for (int32_t c = 0; c < kColumns; ++c) products[c] = Dot(starts[r], columns[c], values[r]);
        const F scaled = ToFloat(AddColumns(products)) * factors;
        BlockSums each[kBlocks];
        memcpy(each, &scaled, sizeof(each));
        for (int32_t k = 0; k < BlocksIn(lanes); ++k) sums[r][g] += each[k];
      }
    }
  });
  memcpy(totals, sums, sizeof(totals));
}

// kRows x kCols of y. Where fewer are left, the last ones are computed several times.
template <typename Format, int32_t kRows, int32_t kCols>
inline void MultiplyTile(const Product& product, int32_t first_row, int32_t first_col) {
  const Input& input = product.input;
  const int32_t rows = Min(kRows, input.count - first_row);
  const int32_t cols = Min(kCols, product.selection.count - first_col);
  const Columns<Format, kCols> columns(product, first_col);
  const typename Format::Value* x[kRows];
  for (int32_t r = 0; r < kRows; ++r) {
    x[r] = Format::InputRow(input, first_row + Min(r, rows - 1));
  }
  typename Format::Total totals[kRows * kCols];
  if constexpr (Format::kInBlocks) {
    SumBlockTile<kRows, kCols>(x, columns.rows(), input.cols, totals);
  } else {
    SumTile<Format, kRows, kCols>(x, columns.rows(), input.cols, totals);
  }

  for (int32_t r = 0; r < rows; ++r) {
    float factor = product.factor;
    int32_t surplus = 0;
    if (input.scales != nullptr) {
      factor *= input.scales[first_row + r].scale;
      surplus = Format::kBias * input.scales[first_row + r].sum;
    }
    float y[kCols];
    for (int32_t c = 0; c < kCols; ++c) {
      const auto total = static_cast<float>(totals[r * kCols + c] - surplus);
      y[c] = total * (factor * columns.scale(c)) + columns.bias(c);
    }
    float* const to = product.y.values + (first_row + r) * product.y.stride + first_col;
    if (cols == kCols) {
      memcpy(to, y, sizeof(y));
    } else {
      for (int32_t c = 0; c < cols; ++c) to[c] = y[c];
    }
  }
}

template <typename Format>
void MultiplyAs(const Product& product) {
  const int32_t count = product.input.count, outputs = product.selection.count;
  // A row that is left alone is quicker by itself.
  const int32_t tiled = count % kTile == 1 ? count - 1 : count;
  for (int32_t column = 0; column < outputs; column += kColumns) {
    for (int32_t row = 0; row < tiled; row += kTile) {
      MultiplyTile<Format, kTile, kColumns>(product, row, column);
    }
  }
  for (int32_t row = tiled; row < count; ++row) {
    for (int32_t column = 0; column < outputs; column += kMostColumns) {
      MultiplyTile<Format, 1, kMostColumns>(product, row, column);
    }
  }
}

void MultiplyByRows(const Input& input, const Weight& weight, const Selection& selection,
                    const float* bias, const Output& y) {
  switch (weight.type) {
    case Type::kInt8:
      return MultiplyAs<Int8Format>({input, weight, weight.cols, selection, bias, 1, y});
    case Type::kInt4: {
      const Product product = {input, weight, weight.cols / 2, selection, bias, 1, y};
      return weight.block == 0 ? MultiplyAs<Int4Format>(product) : MultiplyAs<BlockFormat>(product);
    }
    default: {
      const ptrdiff_t stride = static_cast<ptrdiff_t>(sizeof(float)) * weight.cols;
      const Input floats = {input.values, input.stride, input.count, input.cols, nullptr, nullptr};
      return MultiplyAs<Float32Format>({floats, weight, stride, selection, bias, 1, y});
    }
  }
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_LINEAR_H_
