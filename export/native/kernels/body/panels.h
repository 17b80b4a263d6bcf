// Products of activations and panels of weights. A level gives:
// - kPanelParts and PanelSums: of how many such parts the sums of a panel's rows consist;
// - PanelPart(from, part): the weights of one of these parts, kPanelCols of each of its rows;
// - Repeat(activations): kPanelCols of them for each of those rows, to go with it into Dot;
// - AddPanelParts(parts, totals): the sums of the panel's rows, in their order;
// - kManyRows x kManyPanels, kFewRows x kFewPanels and 1 x kOnePanels, the tiles that are computed
//   at once of many, of few, and of single rows of activations.
#ifndef TFCOMPRESS_KERNELS_BODY_PANELS_H_
#define TFCOMPRESS_KERNELS_BODY_PANELS_H_

#include "kernels/body/linear.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kPanelStep = kPanelRows * kPanelCols;
// Where little is computed with each of them, panels are fetched this many bytes before.
constexpr int32_t kPanelsAhead = 1024;

// The columns of y that a panel gives.
class PanelColumns {
 public:
  PanelColumns(const Product& product, int32_t panel)
      : product_(product),
        first_(panel * kPanelRows),
        count_(Min(kPanelRows, product.weight.rows - first_)),
        scales_(product.weight.scales + first_),
        bias_(product.bias == nullptr ? nullptr : product.bias + first_) {
    if (count_ == kPanelRows) return;
    scales_ = Padded(scales_, copied_scales_);
    if (bias_ != nullptr) bias_ = Padded(bias_, copied_bias_);
  }

  void Write(const I (&totals)[kPanelRows / kWidth], ptrdiff_t row) const {
    const RowScale& scale = product_.input.scales[row];
    const F factor = Set(product_.factor * scale.scale);
    const I surplus = I{} + Int8::kBias * scale.sum;
    float* const to = product_.y.values + row * product_.y.stride + first_;
    for (int32_t i = 0; i < kPanelRows; i += kWidth) {
      const F bias = bias_ == nullptr ? F{} : Load(bias_ + i);
      const F y = ToFloat(totals[i / kWidth] - surplus) * (factor * Load(scales_ + i)) + bias;
      if (count_ - i >= kWidth) {
        Store(y, to + i);
      } else if (count_ > i) {
        Store(y, to + i, Part{count_ - i});
      }
    }
  }

 private:
  const float* Padded(const float* values, float (&copied)[kPanelRows]) const {
    for (int32_t c = 0; c < kPanelRows; ++c) copied[c] = c < count_ ? values[c] : 0;
    return copied;
  }

  const Product& product_;
  int32_t first_;
  int32_t count_;
  const float* scales_;
  const float* bias_;
  float copied_scales_[kPanelRows];
  float copied_bias_[kPanelRows];
};

// Where there are fewer rows or panels, the last ones are computed several times.
template <int32_t kRows, int32_t kPanels>
inline void MultiplyPanels(const Product& product, int32_t first_row, int32_t first_panel) {
  const Input& input = product.input;
  const int32_t steps = CeilDiv(input.cols, kPanelCols);
  const int32_t rows = Min(kRows, input.count - first_row);
  const int32_t outputs = product.weight.rows, last_panel = (outputs - 1) / kPanelRows;
  const uint8_t* panels[kPanels];
  for (int32_t p = 0; p < kPanels; ++p) {
    const ptrdiff_t panel = Min(first_panel + p, last_panel);
    panels[p] = static_cast<const uint8_t*>(product.weight.data) + panel * steps * kPanelStep;
  }
  const Quantized* x[kRows];
  for (int32_t r = 0; r < kRows; ++r) {
    const ptrdiff_t row = first_row + Min(r, rows - 1);
    x[r] = static_cast<const Quantized*>(input.quantized) + row * Padded(input.cols);
  }

  PanelSums sums[kRows][kPanels][kPanelParts] = {};
  for (int32_t step = 0; step < steps; ++step) {
    decltype(PanelPart(panels[0], 0)) weights[kPanels][kPanelParts];
#pragma GCC unroll 16
    for (int32_t p = 0; p < kPanels; ++p) {
#pragma GCC unroll 16
      for (int32_t i = 0; i < kPanelParts; ++i) weights[p][i] = PanelPart(panels[p], i);
      if (kRows == 1) __builtin_prefetch(panels[p] + kPanelsAhead);
      panels[p] += kPanelStep;
    }
#pragma GCC unroll 16
    for (int32_t r = 0; r < kRows; ++r) {
      const auto values = Repeat(x[r] + step * kPanelCols);
#pragma GCC unroll 16
      for (int32_t p = 0; p < kPanels; ++p) {
#pragma GCC unroll 16
        for (int32_t i = 0; i < kPanelParts; ++i) {
          sums[r][p][i] = Dot(sums[r][p][i], weights[p][i], values);
        }
      }
    }
  }

  for (int32_t p = 0; p < Min(kPanels, last_panel + 1 - first_panel); ++p) {
    const PanelColumns columns(product, first_panel + p);
    for (int32_t r = 0; r < rows; ++r) {
      I totals[kPanelRows / kWidth];
      AddPanelParts(sums[r][p], totals);
      columns.Write(totals, first_row + r);
    }
  }
}

// Each panel is read once for all rows.
template <int32_t kRows, int32_t kPanels>
inline void MultiplyRows(const Product& product, int32_t begin, int32_t end) {
  const int32_t panels = CeilDiv(product.weight.rows, kPanelRows);
  for (int32_t panel = 0; panel < panels; panel += kPanels) {
    for (int32_t row = begin; row < end; row += kRows) {
      MultiplyPanels<kRows, kPanels>(product, row, panel);
    }
  }
}

void MultiplyByPanels(const Product& product) {
  const int32_t count = product.input.count, rest = count % kManyRows;
  const int32_t many = rest > kFewRows ? count : count - rest;
  MultiplyRows<kManyRows, kManyPanels>(product, 0, many);
  if (count - many > 1) {
    MultiplyRows<kFewRows, kFewPanels>(product, many, count);
  } else {
    MultiplyRows<1, kOnePanels>(product, many, count);
  }
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_PANELS_H_
