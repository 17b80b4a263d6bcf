#include "ops/operands.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "common/error.h"
#include "common/schema.h"

namespace tfcompress::ops {
namespace {

// Sums of this many products of int8 fit in 32 bits.
constexpr int32_t kMostColumns = 1 << 16;

[[noreturn]] void FailWith(const std::string& what) {
  throw Error(Error::Code::kBadBundle, "A custom operation has other operands than it takes", what,
              "Export the bundle again");
}

const char* NameOf(Type type) {
  switch (type) {
    case Type::kFloat32:
      return "float32";
    case Type::kInt32:
      return "int32";
    case Type::kInt8:
      return "int8";
    case Type::kInt4:
      return "int4";
    case Type::kInt8Panels:
      return "panels of int8";
    case Type::kInt4Panels:
      return "panels of int4";
  }
  return "unknown";
}

// Whether there are values, but few enough to count in 32 bits.
bool Usable(const Shape& shape) {
  int64_t count = 1;
  for (int32_t i = 0; i < shape.rank; ++i) {
    if (shape.dims[i] < 1) return false;
    count *= shape.dims[i];
    if (count > INT32_MAX) return false;
  }
  return true;
}

bool Has(const Shape& shape, std::initializer_list<int64_t> dims) {
  return shape.rank == static_cast<int32_t>(dims.size()) &&
         std::equal(dims.begin(), dims.end(), shape.dims) && Usable(shape);
}

}  // namespace

std::string Text(const Shape& shape) {
  std::string text = "[";
  for (int32_t i = 0; i < shape.rank; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape.dims[i]);
  }
  return text + "]";
}

const Shape& Ranked(const Shape& shape, int32_t rank) {
  if (shape.rank != rank) {
    FailWith("an operand must have rank " + std::to_string(rank) + ", not " + Text(shape));
  }
  return shape;
}

void Operands::Fail(const std::string& message) const {
  FailWith(std::string(op_) + ": " + message);
}

void Operands::FailAt(const Tensor& tensor, const std::string& wanted) const {
  Fail(std::string(role_) + " " + std::to_string(&tensor - tensors_) + " must be " + wanted +
       ", not " + NameOf(tensor.type) + " " + Text(tensor.shape));
}

void Operands::Check(const Tensor& tensor, Type type, std::initializer_list<int64_t> dims) const {
  if (tensor.type == type && Has(tensor.shape, dims)) return;
  std::string wanted = std::string(NameOf(type)) + " [";
  const char* separator = "";
  for (int64_t dim : dims) {
    wanted += separator + std::to_string(dim);
    separator = ", ";
  }
  FailAt(tensor, wanted + "]");
}

const int32_t* Operands::Peek(int32_t rank) const {
  const Tensor& tensor = tensors_[next_];
  if (tensor.shape.rank != rank || !Usable(tensor.shape)) {
    FailAt(tensor, "of rank " + std::to_string(rank) + ", neither empty nor huge");
  }
  return tensor.shape.dims;
}

float* Operands::Floats(std::initializer_list<int64_t> dims) {
  const Tensor& tensor = Next();
  Check(tensor, Type::kFloat32, dims);
  return static_cast<float*>(tensor.data);
}

int32_t* Operands::Ints(std::initializer_list<int64_t> dims) {
  const Tensor& tensor = Next();
  Check(tensor, Type::kInt32, dims);
  return static_cast<int32_t*>(tensor.data);
}

Operands::Vector Operands::IntVector() {
  const int32_t size = *Peek(1);
  return {Ints({size}), size};
}

Operands::Rows Operands::FloatRows() {
  const Tensor& tensor = Next();
  const Shape& shape = tensor.shape;
  if (tensor.type != Type::kFloat32 || shape.rank < 1 || !Usable(shape)) {
    FailAt(tensor, "float32, neither a scalar nor empty nor huge");
  }
  Rows rows = {static_cast<float*>(tensor.data), 1, shape.dims[shape.rank - 1]};
  for (int32_t i = 0; i + 1 < shape.rank; ++i) rows.count *= shape.dims[i];
  return rows;
}

kernels::Weight Operands::Weight(std::initializer_list<int64_t> dims) {
  const Tensor& tensor = Next();
  const Tensor& scales = Next();
  const Type type = tensor.type == Type::kInt32 ? Type::kFloat32 : tensor.type;
  Check(tensor, type, dims);
  const int64_t cols = *(dims.end() - 1);
  const int64_t rows =
      std::accumulate(dims.begin(), dims.end() - 1, int64_t{1}, std::multiplies<>());
  kernels::Weight weight = {type,
                            tensor.data,
                            static_cast<const float*>(scales.data),
                            static_cast<int32_t>(rows),
                            static_cast<int32_t>(cols),
                            0};
  if (type == Type::kFloat32) return weight;
  if (cols > kMostColumns) Fail("rows of more than 65536 quantized weights are too long");
  const bool panels = type == Type::kInt4Panels;
  if (type == Type::kInt4 || panels) {
    if (cols % 2 != 0) FailAt(tensor, "of an even width");
    if (scales.shape.rank == (panels ? 3 : 2)) {
      if (cols % kInt4Block != 0) FailAt(tensor, "of a width in blocks of 32");
      weight.block = kInt4Block;
      const int64_t blocks = cols / kInt4Block;
      if (!panels) {
        Check(scales, Type::kFloat32, {rows, blocks});
        return weight;
      }
      const int64_t own = *(dims.end() - 2);
      const int64_t each = (own + kernels::kPanelRows - 1) / kernels::kPanelRows;
      Check(scales, Type::kFloat32, {rows / own * each, blocks, kernels::kPanelRows});
      return weight;
    }
  }
  Check(scales, Type::kFloat32, {rows});
  return weight;
}

Dense Operands::Layer(int64_t rows, int64_t cols) {
  const kernels::Weight weight = Weight({rows, cols});
  return {weight, Floats({rows})};
}

int32_t CountOf(const Operands& operands, int32_t value) {
  if (value < 1) {
    operands.Fail("the config has " + std::to_string(value) + " where it needs at least 1");
  }
  return value;
}

bool FlagOf(const Operands& operands, int32_t value) {
  if (value != 0 && value != 1) {
    operands.Fail("the config has " + std::to_string(value) + " where it needs 0 or 1");
  }
  return value != 0;
}

float EpsilonOf(const Operands& operands, int32_t bits) {
  float epsilon;
  std::memcpy(&epsilon, &bits, sizeof(epsilon));
  operands.Require(std::isfinite(epsilon) && epsilon >= 0, "the config has an impossible epsilon");
  return epsilon;
}

kernels::Activation ActivationOf(const Operands& operands, int32_t value) {
  if (value < 0 || value >= kernels::kNumActivations) {
    operands.Fail("the config has an unknown activation, " + std::to_string(value));
  }
  return static_cast<kernels::Activation>(value);
}

}  // namespace tfcompress::ops
