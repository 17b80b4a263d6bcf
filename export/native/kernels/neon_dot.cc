#define TFC_WIDTH 4
#include "kernels/body/neon.h"

namespace tfcompress::kernels {
namespace {

struct OneRow;
using ManyRows = OneRow;
constexpr int32_t kManyRows = 2, kManyPanels = 1;
constexpr int32_t kFewRows = 2, kFewPanels = 1;
constexpr int32_t kOnePanels = 1;

}  // namespace
}  // namespace tfcompress::kernels

#include "kernels/body/table.h"

namespace tfcompress::kernels {

const Kernels kNeonDotKernels = kTable;

}  // namespace tfcompress::kernels
