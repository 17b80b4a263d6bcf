#include "kernels/levels.h"

namespace tfcompress::kernels {

size_t MatrixBytes(Type type, int32_t rows, int32_t cols) {
  const auto values = static_cast<size_t>(rows) * static_cast<size_t>(cols);
  switch (type) {
    case Type::kInt8:
      return values;
    case Type::kInt4:
      return (values + 1) / 2;
    case Type::kInt8Panels:
      return static_cast<size_t>(CeilDiv(rows, kPanelRows)) *
             static_cast<size_t>(CeilDiv(cols, kPanelCols)) * kPanelRows * kPanelCols;
    default:
      return values * sizeof(float);
  }
}

Weight PartOf(const Weight& weight, int32_t part, int32_t parts) {
  Weight own = weight;
  own.rows /= parts;
  const size_t bytes = MatrixBytes(own.type, own.rows, own.cols);
  own.data = static_cast<const char*>(own.data) + static_cast<size_t>(part) * bytes;
  const ptrdiff_t blocks = own.block == 0 ? 1 : own.cols / own.block;
  if (own.type != Type::kFloat32) own.scales += static_cast<ptrdiff_t>(part) * own.rows * blocks;
  return own;
}

}  // namespace tfcompress::kernels
