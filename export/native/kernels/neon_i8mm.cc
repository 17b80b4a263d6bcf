#define TFC_WIDTH 4
#include "kernels/body/neon.h"

namespace tfcompress::kernels {
namespace {

// kPanelCols activations of each of two rows.
struct TwoValues {
  int8x16_t values;
};

// Each lane has a product of one of two rows of weights and one of two rows of activations.
inline I Dot(I sums, const Bytes& weights, const TwoValues& x) {
  return Bits<I>(vmmlaq_s32(Bits<int32x4_t>(sums), weights.values, x.values));
}

struct TwoRows {
  static constexpr int32_t kRows = 2;
  static TwoValues LoadValues(const int8_t* const* x, int32_t i) {
    return {vcombine_s8(vld1_s8(x[0] + i), vld1_s8(x[1] + i))};
  }
  static void AddParts(const I (&parts)[8], I (&totals)[2][4]) {
    for (int32_t i = 0; i < 4; ++i) {
      const auto a = Bits<int32x4_t>(parts[i]), b = Bits<int32x4_t>(parts[i + 4]);
      totals[0][i] = Bits<I>(vuzp1q_s32(a, b));
      totals[1][i] = Bits<I>(vuzp2q_s32(a, b));
    }
  }
};

using ManyRows = TwoRows;
constexpr int32_t kManyRows = 2, kManyPanels = 1;
constexpr int32_t kFewRows = 1, kFewPanels = 1;
constexpr int32_t kOnePanels = 1;

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kNeonI8mmKernels = kTable;

}  // namespace tfcompress::kernels
