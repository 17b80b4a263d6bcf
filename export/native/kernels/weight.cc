#include "kernels/levels.h"

namespace tfcompress::kernels {
namespace {

size_t PanelValues(int32_t rows, int32_t cols) {
  return static_cast<size_t>(CeilDiv(rows, kPanelRows)) *
         static_cast<size_t>(CeilDiv(cols, kPanelCols)) * kPanelRows * kPanelCols;
}

}  // namespace

size_t MatrixBytes(Type type, int32_t rows, int32_t cols) {
  const auto values = static_cast<size_t>(rows) * static_cast<size_t>(cols);
  switch (type) {
    case Type::kInt8:
      return values;
    case Type::kInt4:
      return (values + 1) / 2;
    case Type::kInt8Panels:
      return PanelValues(rows, cols);
    case Type::kInt4Panels:
      return PanelValues(rows, cols) / 2;
    default:
      return values * sizeof(float);
  }
}

Weight PartOf(const Weight& weight, int32_t part, int32_t parts) {
  Weight own = weight;
  own.rows /= parts;
  const size_t bytes = MatrixBytes(own.type, own.rows, own.cols);
  own.data = static_cast<const char*>(own.data) + static_cast<size_t>(part) * bytes;
  if (own.type == Type::kFloat32) return own;
  const ptrdiff_t blocks = own.block == 0 ? 1 : own.cols / own.block;
  const bool padded = own.type == Type::kInt4Panels && own.block != 0;
  const int32_t rows = padded ? CeilDiv(own.rows, kPanelRows) * kPanelRows : own.rows;
  own.scales += part * blocks * rows;
  return own;
}

}  // namespace tfcompress::kernels
