// Products of activations and panels of weights. A level gives:
// - Int8Panels and Int4Panels: Part and Load(from, part), some rows of a panel, kPanelCols weights
//   of each; all have kPanelParts such parts. kBias is what is added to each weight;
// - Repeat(x): kPanelCols activations, to go with each of those rows into Dot; PanelSums, what it
//   adds to;
// - AddPanelParts(parts, totals): the sums of the panel's rows, in their order;
// - ManyRows: OneRow, or how it multiplies by several rows of activations at once: like OneRow;
// - kManyRows x kManyPanels, kFewRows x kFewPanels, of ManyRows, and kOnePanels, the tiles that are
//   computed at once of many, of few, and of single rows of activations.
#ifndef TFCOMPRESS_KERNELS_BODY_PANELS_H_
#define TFCOMPRESS_KERNELS_BODY_PANELS_H_

#include "kernels/body/linear.h"

namespace tfcompress::kernels {
namespace {

constexpr int32_t kPanelVectors = kPanelRows / kWidth;
constexpr int32_t kBlockSteps = kInt4Block / kPanelCols;

template <typename Panels>
constexpr int32_t kStepBytes = kPanelRows * kPanelCols * Panels::kBits / 8;

// The columns of y that a panel gives.
class PanelColumns {
 public:
  // `scales` are those of the panel's rows; null if they have been multiplied by already.
  PanelColumns(const Product& product, int32_t panel, const float* scales)
      : product_(product),
        first_(panel * kPanelRows),
        count_(Min(kPanelRows, product.weight.rows - first_)),
        scales_(scales),
        bias_(product.bias == nullptr ? nullptr : product.bias + first_) {
    if (count_ == kPanelRows) return;
    if (scales_ != nullptr) scales_ = Padded(scales_, copied_scales_);
    if (bias_ != nullptr) bias_ = Padded(bias_, copied_bias_);
  }

  void Write(const F (&totals)[kPanelVectors], ptrdiff_t row) const {
    const F factor = Set(product_.factor * product_.input.scales[row].scale);
    float* const to = product_.y.values + row * product_.y.stride + first_;
    for (int32_t i = 0; i < kPanelRows; i += kWidth) {
      const F bias = bias_ == nullptr ? F{} : Load(bias_ + i);
      const F scale = scales_ == nullptr ? factor : factor * Load(scales_ + i);
      const F y = totals[i / kWidth] * scale + bias;
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

// Where a tile's panels and rows of activations begin. Where there are fewer, the last ones are
// computed several times.
template <typename Panels, int32_t kRows, int32_t kPanels>
struct TileStart {
  TileStart(const Product& product, int32_t first_row, int32_t first_panel) {
    const Input& input = product.input;
    const ptrdiff_t steps = CeilDiv(input.cols, kPanelCols);
    const int32_t last_panel = (product.weight.rows - 1) / kPanelRows;
    for (int32_t p = 0; p < kPanels; ++p) {
      const ptrdiff_t panel = Min(first_panel + p, last_panel);
      panels[p] =
          static_cast<const uint8_t*>(product.weight.data) + panel * steps * kStepBytes<Panels>;
    }
    for (int32_t r = 0; r < kRows; ++r) {
      x[r] = QuantizedRow(input, Min(first_row + r, input.count - 1)).values();
    }
  }

  const uint8_t* panels[kPanels];
  const int8_t* x[kRows];
};

// Adds the products of a step's columns, the first of which are at `step`.
template <typename Panels, typename Rows, int32_t kGroups, int32_t kPanels>
inline void AddStep(const TileStart<Panels, kGroups * Rows::kRows, kPanels>& start, int32_t step,
                    PanelSums (&sums)[kGroups][kPanels][kPanelParts]) {
  typename Panels::Part weights[kPanels][kPanelParts];
#pragma GCC unroll 16
  for (int32_t p = 0; p < kPanels; ++p) {
    const uint8_t* const from = start.panels[p] + ptrdiff_t{step} * kStepBytes<Panels>;
#pragma GCC unroll 16
    for (int32_t i = 0; i < kPanelParts; ++i) weights[p][i] = Panels::Load(from, i);
  }
#pragma GCC unroll 16
  for (int32_t g = 0; g < kGroups; ++g) {
    const auto values = Rows::LoadValues(start.x + g * Rows::kRows, step * kPanelCols);
#pragma GCC unroll 16
    for (int32_t p = 0; p < kPanels; ++p) {
#pragma GCC unroll 16
      for (int32_t i = 0; i < kPanelParts; ++i) {
        sums[g][p][i] = Dot(sums[g][p][i], weights[p][i], values);
      }
    }
  }
}

template <int32_t kGroups, int32_t kPanels>
inline void Clear(PanelSums (&sums)[kGroups][kPanels][kPanelParts]) {
#pragma GCC unroll 16
  for (int32_t g = 0; g < kGroups; ++g) {
#pragma GCC unroll 16
    for (int32_t p = 0; p < kPanels; ++p) {
#pragma GCC unroll 16
      for (int32_t i = 0; i < kPanelParts; ++i) sums[g][p][i] = PanelSums{};
    }
  }
}

template <int32_t kSize>
inline void AddAll(const PanelSums (&from)[kSize], PanelSums (&to)[kSize]) {
#pragma GCC unroll 16
  for (int32_t i = 0; i < kSize; ++i) to[i] += from[i];
}

// A scale for each row of the weights.
template <typename Panels, typename Rows, int32_t kGroups, int32_t kPanels>
inline void MultiplyPanels(const Product& product, int32_t first_row, int32_t first_panel) {
  constexpr int32_t kRows = kGroups * Rows::kRows;
  // As many sums, taken in turns, that few do not wait for the one before.
  constexpr int32_t kChains = kGroups * kPanels * kPanelParts == 2 ? 4 : 1;
  const TileStart<Panels, kRows, kPanels> start(product, first_row, first_panel);
  const int32_t steps = CeilDiv(product.input.cols, kPanelCols);
  PanelSums chains[kChains][kGroups][kPanels][kPanelParts];
#pragma GCC unroll 4
  for (auto& chain : chains) Clear(chain);
  int32_t step = 0;
  for (; step + kChains <= steps; step += kChains) {
#pragma GCC unroll 4
    for (int32_t c = 0; c < kChains; ++c) {
      AddStep<Panels, Rows, kGroups, kPanels>(start, step + c, chains[c]);
    }
  }
#pragma GCC unroll 1
  for (; kChains > 1 && step < steps; ++step) {
    AddStep<Panels, Rows, kGroups, kPanels>(start, step, chains[0]);
  }
  auto& sums = chains[0];
  if constexpr (kChains > 1) {
#pragma GCC unroll 4
    for (int32_t c = 1; c < kChains; ++c) AddAll(chains[c][0][0], sums[0][0]);
  }
  const int32_t rows = Min(kRows, product.input.count - first_row);
  const int32_t panels = CeilDiv(product.weight.rows, kPanelRows);
#pragma GCC unroll 8
  for (int32_t p = 0; p < kPanels; ++p) {
    const int32_t panel = first_panel + p;
    if (panel >= panels) break;
    const PanelColumns columns(product, panel, product.weight.scales + panel * kPanelRows);
#pragma GCC unroll 8
    for (int32_t g = 0; g < kGroups; ++g) {
      I totals[Rows::kRows][kPanelVectors];
      Rows::AddParts(sums[g][p], totals);
      for (int32_t r = 0; r < Rows::kRows; ++r) {
        const ptrdiff_t own = g * Rows::kRows + r;
        if (own >= rows) break;
        const I surplus = I{} + Panels::kBias * product.input.scales[first_row + own].sum;
        F floats[kPanelVectors];
        for (int32_t v = 0; v < kPanelVectors; ++v) floats[v] = ToFloat(totals[r][v] - surplus);
        columns.Write(floats, first_row + own);
      }
    }
  }
}

// A scale for each block of a row. Each block is added to a row's sum in its turn, so that all
// levels round alike.
template <typename Panels, typename Rows, int32_t kGroups, int32_t kPanels>
inline void MultiplyBlockPanels(const Product& product, int32_t first_row, int32_t first_panel) {
  constexpr int32_t kRows = kGroups * Rows::kRows;
  const Input& input = product.input;
  const TileStart<Panels, kRows, kPanels> start(product, first_row, first_panel);
  const ptrdiff_t blocks = input.cols / kInt4Block;
  const int32_t panels = CeilDiv(product.weight.rows, kPanelRows);
  const float* scales[kPanels];
  for (int32_t p = 0; p < kPanels; ++p) {
    scales[p] = product.weight.scales + Min(first_panel + p, panels - 1) * blocks * kPanelRows;
  }
  const int32_t* block_biases[kRows];
  for (int32_t r = 0; r < kRows; ++r) {
    block_biases[r] = QuantizedRow(input, Min(first_row + r, input.count - 1)).block_biases();
  }
  F totals[kRows][kPanels][kPanelVectors] = {};
  for (int32_t block = 0; block < blocks; ++block) {
    PanelSums sums[kGroups][kPanels][kPanelParts];
    Clear(sums);
#pragma GCC unroll 4
    for (int32_t k = 0; k < kBlockSteps; ++k) {
      AddStep<Panels, Rows, kGroups, kPanels>(start, block * kBlockSteps + k, sums);
    }
#pragma GCC unroll 8
    for (int32_t g = 0; g < kGroups; ++g) {
#pragma GCC unroll 8
      for (int32_t p = 0; p < kPanels; ++p) {
        I products[Rows::kRows][kPanelVectors];
        Rows::AddParts(sums[g][p], products);
#pragma GCC unroll 8
        for (int32_t r = 0; r < Rows::kRows; ++r) {
          const int32_t own = g * Rows::kRows + r;
          const I surplus = I{} + block_biases[own][block];
#pragma GCC unroll 8
          for (int32_t v = 0; v < kPanelVectors; ++v) {
            const F scale = Load(scales[p] + block * kPanelRows + v * kWidth);
            totals[own][p][v] += ToFloat(products[r][v] - surplus) * scale;
          }
        }
      }
    }
  }
  for (int32_t p = 0; p < Min(kPanels, panels - first_panel); ++p) {
    const PanelColumns columns(product, first_panel + p, nullptr);
    for (int32_t r = 0; r < Min(kRows, input.count - first_row); ++r) {
      columns.Write(totals[r][p], first_row + r);
    }
  }
}

// One row of activations after another.
struct OneRow {
  static constexpr int32_t kRows = 1;
  static auto LoadValues(const int8_t* const* x, int32_t i) { return Repeat(x[0] + i); }
  static void AddParts(const PanelSums (&parts)[kPanelParts], I (&totals)[1][kPanelVectors]) {
    AddPanelParts(parts, totals[0]);
  }
};

// Each panel is read once for all rows.
template <typename Panels, typename Rows, int32_t kGroups, int32_t kPanels>
inline void MultiplyRows(const Product& product, int32_t begin, int32_t end) {
  const int32_t panels = CeilDiv(product.weight.rows, kPanelRows);
  for (int32_t panel = 0; panel < panels; panel += kPanels) {
    for (int32_t row = begin; row < end; row += kGroups * Rows::kRows) {
      if constexpr (Panels::kBits == 4) {
        if (product.weight.block != 0) {
          MultiplyBlockPanels<Panels, Rows, kGroups, kPanels>(product, row, panel);
          continue;
        }
      }
      MultiplyPanels<Panels, Rows, kGroups, kPanels>(product, row, panel);
    }
  }
}

template <typename Panels>
void MultiplyByPanels(const Product& product) {
  constexpr int32_t kMany = kManyRows * ManyRows::kRows, kFew = kFewRows * ManyRows::kRows;
  const int32_t count = product.input.count, rest = count % kMany;
  const int32_t many = rest > kFew ? count : count - rest;
  MultiplyRows<Panels, ManyRows, kManyRows, kManyPanels>(product, 0, many);
  if (count - many > 1) {
    MultiplyRows<Panels, ManyRows, kFewRows, kFewPanels>(product, many, count);
  } else {
    MultiplyRows<Panels, OneRow, 1, kOnePanels>(product, many, count);
  }
}

}  // namespace
}  // namespace tfcompress::kernels

#endif  // TFCOMPRESS_KERNELS_BODY_PANELS_H_
