// Products of activations and rows of weights. A level gives:
// - Quantized: what rounded activation values are stored as, and ActivationValues, a vector of
//   them, which LoadActivationValues(const Quantized*) reads;
// - Int8 and Int4: kStep, how many weights a vector of them holds; kBits, how many bits one takes
//   in memory; kBias, what is added to each; Load(row, i, lanes), the weights from the i-th one of
//   a row on;
// - Dot(sums, weights, activations): adds products to the sums; integers, in any lane;
// - BiasProducts(activations): what the bias of Int4 adds to such sums;
// - BlockScales(scales, lanes): the factor of each lane of such sums of whole blocks;
// - AddColumns(vectors): adds the lanes of each of kColumns vectors, into parts of their sums;
// - AddParts(parts, sums): adds those of kTile such vectors, into kTile * kColumns sums. The sums
//   of several rows of activations are computed kTile at once.
#ifndef TFCOMPRESS_KERNELS_BODY_LINEAR_H_
#define TFCOMPRESS_KERNELS_BODY_LINEAR_H_

#include "kernels/body/math.h"

namespace tfcompress::kernels {
namespace {

inline Quantized* StoreRounded(I x, Quantized* to) {
#if TFC_WIDTH == 1
  *to = static_cast<Quantized>(x);
#else
  typedef Quantized Narrow __attribute__((vector_size(sizeof(Quantized) * TFC_WIDTH)));
  const Narrow narrow = __builtin_convertvector(x, Narrow);
  memcpy(to, &narrow, sizeof(narrow));
#endif
  return to + kWidth;
}

inline RowScale QuantizeRow(const float* x, int32_t size, Quantized* quantized) {
  // Compared as integers, infinities and NaNs are the largest.
  U bits = {};
  ForVectors(size, [&](int32_t i, auto lanes) {
    const U magnitude = Bits<U>(Load(x + i, lanes)) & 0x7fffffffu;
    bits = magnitude > bits ? magnitude : bits;
  });
  const float largest = Bits<float>(Largest(bits));
  Quantized* const end = quantized + Padded(size);
  if (!(largest > 1e-30f && largest <= 3.40282347e38f)) {
    memset(quantized, 0, sizeof(Quantized) * static_cast<size_t>(end - quantized));
    return {largest <= 1e-30f ? 0 : __builtin_nanf(""), 0};
  }
  const float factor = 127 / largest;
  I sums = {};
  ForVectors(size, [&](int32_t i, auto lanes) {
    const F rounded = Load(x + i, lanes) * factor + kRounder;
    const I value = Bits<I>(rounded) - Bits<int32_t>(kRounder);
    sums += value;
    quantized = StoreRounded(value, quantized);
  });
  while (quantized < end) quantized = StoreRounded(I{}, quantized);
  return {largest / 127, Sum(sums)};
}

void Quantize(const Input& input, void* quantized, RowScale* scales) {
  auto* const rows = static_cast<Quantized*>(quantized);
  for (ptrdiff_t r = 0; r < input.count; ++r) {
    scales[r] =
        QuantizeRow(input.values + r * input.stride, input.cols, rows + r * Padded(input.cols));
  }
}

// Weights that are read side by side are fetched into the cache this many bytes before, line by
// line.
constexpr int32_t kAhead = 4096;
constexpr int32_t kLineBits = 512;
// Rows of at least so many bytes are read one after another, the order in which memory is fastest.
// In shorter ones each sum would wait for the one before.
constexpr int32_t kLongRow = 320;

struct WeightRow {
  const uint8_t* data;
  const float* scales;  // Of its blocks.
};

// The formats: how a step of weights and one of activations is read and multiplied.

enum class Scaling { kNone, kRows, kBlocks };

struct Float32Format {
  using Value = float;
  using Sum = F;
  using Total = float;
  static constexpr int32_t kStep = kWidth;
  static constexpr int32_t kBits = 32;
  static constexpr int32_t kBias = 0;
  static constexpr Scaling kScaling = Scaling::kNone;

  template <typename Lanes>
  static F LoadWeights(const WeightRow& row, int32_t i, Lanes lanes) {
    return Load(reinterpret_cast<const float*>(row.data) + i, lanes);
  }
  template <typename Lanes>
  static F LoadActivationValues(const float* x, Lanes lanes) {
    return Load(x, lanes);
  }
  static F Add(F sum, F weights, F x) { return MulAdd(weights, x, sum); }
};

template <typename Integers>
struct IntegerFormat {
  using Value = Quantized;
  using Sum = I;
  using Total = int32_t;
  static constexpr int32_t kStep = Integers::kStep;
  static constexpr int32_t kBits = Integers::kBits;
  static constexpr int32_t kBias = Integers::kBias;
  static constexpr Scaling kScaling = Scaling::kRows;

  template <typename Lanes>
  static auto LoadWeights(const WeightRow& row, int32_t i, Lanes lanes) {
    return Integers::Load(row.data, i, lanes);
  }
  // Their rows are padded.
  template <typename Lanes>
  static ActivationValues LoadActivationValues(const Quantized* x, Lanes) {
    return kernels::LoadActivationValues(x);
  }
  template <typename Weights>
  static I Add(I sum, const Weights& weights, const ActivationValues& x) {
    return Dot(sum, weights, x);
  }
};

// int4 with a scale for each 32 weights: a step is at least one such block.
struct BlockFormat {
  using Value = Quantized;
  using Sum = F;
  using Total = float;
  static constexpr int32_t kBlock = 32;
  static constexpr int32_t kStep = Int4::kStep < kBlock ? kBlock : Int4::kStep;
  static constexpr int32_t kParts = kStep / Int4::kStep;
  static constexpr int32_t kBits = Int4::kBits;
  static constexpr int32_t kBias = 0;
  static constexpr Scaling kScaling = Scaling::kBlocks;

  struct Weights {
    Int4::Weights parts[kParts];
    F scales;
  };
  struct Values {
    ActivationValues parts[kParts];
    I start;  // What corrects the bias of the weights.
  };

  template <typename Lanes>
  static Weights LoadWeights(const WeightRow& row, int32_t i, Lanes lanes) {
    Weights weights;
    for (int32_t k = 0; k < kParts; ++k) {
      weights.parts[k] = Int4::Load(row.data, i + k * Int4::kStep, lanes);
    }
    weights.scales = BlockScales(row.scales + i / kBlock, lanes);
    return weights;
  }
  template <typename Lanes>
  static Values LoadActivationValues(const Quantized* x, Lanes) {
    Values values;
    values.start = I{};
    for (int32_t k = 0; k < kParts; ++k) {
      values.parts[k] = kernels::LoadActivationValues(x + k * Int4::kStep);
      values.start -= BiasProducts(values.parts[k]);
    }
    return values;
  }
  static F Add(F sum, const Weights& weights, const Values& x) {
    I products = x.start;
    for (int32_t k = 0; k < kParts; ++k) products = Dot(products, weights.parts[k], x.parts[k]);
    return MulAdd(ToFloat(products), weights.scales, sum);
  }
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

template <typename Format>
inline const typename Format::Value* InputRow(const Input& input, ptrdiff_t row) {
  return static_cast<const Quantized*>(input.quantized) + row * Padded(input.cols);
}

template <>
inline const float* InputRow<Float32Format>(const Input& input, ptrdiff_t row) {
  return input.values + row * input.stride;
}

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
      if (kScaled) scales_ = product.weight.scales + row;
      if (product.bias != nullptr) bias_ = product.bias + row;
      return;
    }
    for (int32_t c = 0; c < kCols; ++c) {
      const int32_t place = begin + Min(first + c, count - 1);
      const ptrdiff_t row = ids == nullptr ? place : ids[place];
      SetRow(c, row, DataOf(row));
      if (kScaled) copied_scales_[c] = product.weight.scales[row];
      copied_bias_[c] = product.bias == nullptr ? 0 : product.bias[row];
    }
    scales_ = copied_scales_;
    bias_ = copied_bias_;
  }

  const WeightRow* rows() const { return rows_; }
  float scale(int32_t c) const { return kScaled ? scales_[c] : 1; }
  float bias(int32_t c) const { return bias_[c]; }

 private:
  static constexpr bool kScaled = Format::kScaling == Scaling::kRows;

  const uint8_t* DataOf(ptrdiff_t row) const {
    return static_cast<const uint8_t*>(product_.weight.data) + row * product_.weight_stride;
  }

  void SetRow(int32_t c, ptrdiff_t row, const uint8_t* data) {
    rows_[c].data = data;
    if (Format::kScaling == Scaling::kBlocks) {
      const Weight& weight = product_.weight;
      rows_[c].scales = weight.scales + row * (weight.cols / weight.block);
    }
  }

  const Product& product_;
  WeightRow rows_[kCols];
  const float* scales_ = nullptr;
  const float* bias_ = kNoBias;
  float copied_scales_[kCols];
  float copied_bias_[kCols];
};

// Calls step(i, lanes) for the steps of a row.
template <typename Format, typename Step>
inline void ForSteps(int32_t size, const Step& step) {
  int32_t i = 0;
  for (; i + Format::kStep <= size; i += Format::kStep) step(i, Full{});
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
      ForSteps<Format>(size, [&](int32_t i, auto lanes) {
        sum = Format::Add(sum, Format::LoadWeights(weights[c], i, lanes),
                          Format::LoadActivationValues(x[r] + i, lanes));
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
  ForSteps<Format>(size, [&](int32_t i, auto lanes) {
    decltype(Format::LoadActivationValues(x[0], lanes)) values[kRows];
    for (int32_t r = 0; r < kRows; ++r) values[r] = Format::LoadActivationValues(x[r] + i, lanes);
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

// kRows x kCols of y. Where fewer are left, the last ones are computed several times.
template <typename Format, int32_t kRows, int32_t kCols>
inline void MultiplyTile(const Product& product, int32_t first_row, int32_t first_col) {
  const Input& input = product.input;
  const int32_t rows = Min(kRows, input.count - first_row);
  const int32_t cols = Min(kCols, product.selection.count - first_col);
  const Columns<Format, kCols> columns(product, first_col);
  const typename Format::Value* x[kRows];
  for (int32_t r = 0; r < kRows; ++r) x[r] = InputRow<Format>(input, first_row + Min(r, rows - 1));

  typename Format::Sum parts[kTile];
  if (kRows == 1 && ptrdiff_t{input.cols} * Format::kBits >= 8 * kLongRow) {
    for (int32_t c = 0; c < kCols; c += kColumns) {
      SumLongProducts<Format>(x, columns.rows() + c, input.cols, parts + c / kColumns);
    }
  } else {
    for (int32_t c = 0; c < kCols; c += kColumns) {
      SumProducts<Format>(x, columns.rows() + c, input.cols, parts + c / kColumns);
    }
  }
  typename Format::Total totals[kRows * kCols];
  AddParts(parts, totals);

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
      return MultiplyAs<IntegerFormat<Int8>>({input, weight, weight.cols, selection, bias, 1, y});
    case Type::kInt4: {
      const Product product = {input, weight, weight.cols / 2, selection, bias, 1, y};
      return weight.block == 0 ? MultiplyAs<IntegerFormat<Int4>>(product)
                               : MultiplyAs<BlockFormat>(product);
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
