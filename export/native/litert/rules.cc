#include "litert/rules.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "common/error.h"
#include "ops/operands.h"
#include "ops/pack.h"

namespace tfcompress::litert {
namespace {

using ops::Shape;

// Sets of types.
constexpr uint32_t Bit(Element element) { return uint32_t{1} << static_cast<int8_t>(element); }
constexpr uint32_t kFloat = Bit(Element::kF32);
constexpr uint32_t kInt = Bit(Element::kI32);
constexpr uint32_t kBool = Bit(Element::kBool);
constexpr uint32_t kQuantized = Bit(Element::kI8) | Bit(Element::kI16);

constexpr int32_t kMostPadding = 1 << 20;
constexpr int64_t kMostRange = 1 << 24;
constexpr int32_t kBlockMultiple = 32;
// What the sums of quantized numbers are shifted by before they are scaled.
constexpr double kLeastRatio = 1.0 / (1 << 14);

bool IsAmong(const GraphTensor& tensor, uint32_t types) {
  return (types & Bit(tensor.element)) != 0;
}

// All operands from `first` on have the type of the output, which is one of some; quantized ones
// have one scale each.
void Alike(Node* node, uint32_t types, size_t first = 0) {
  const GraphTensor& out = node->out(0);
  const auto check = [&](const GraphTensor& tensor) {
    const bool has_grid = tensor.grid.granularity == Grid::Granularity::kTensor;
    node->Require(tensor.element == out.element && has_grid == IsAmong(out, kQuantized) &&
                      (has_grid || tensor.grid.granularity == Grid::Granularity::kNone),
                  "its operands have other types");
  };
  node->Require(IsAmong(out, types), "its output has another type");
  for (size_t i = first; i < node->num_inputs(); ++i) check(node->in(i));
  for (size_t i = 0; i < node->num_outputs(); ++i) check(node->out(i));
}

// What is copied keeps its grid.
void Copies(Node* node, size_t input) {
  const Grid& from = node->in(input).grid;
  node->Require(node->in(input).element == node->out(0).element, "its operands have other types");
  for (size_t i = 0; i < node->num_outputs(); ++i) {
    const Grid& to = node->out(i).grid;
    node->Require(node->out(i).element == node->in(input).element &&
                      from.granularity == to.granularity && from.scale == to.scale,
                  "its operands have other types");
  }
}

Shape Vector(int32_t extent) { return {1, {extent}}; }

// Counts from the back where it is negative.
int32_t AxisOf(const Node& node, int64_t axis, int32_t rank) {
  if (axis < 0) axis += rank;
  node.Require(axis >= 0 && axis < rank, "its axis is beyond the rank");
  return static_cast<int32_t>(axis);
}

Shape Broadcast(const Node& node, const Shape& a, const Shape& b) {
  Shape shape = {std::max(a.rank, b.rank), {}};
  for (int32_t i = 1; i <= shape.rank; ++i) {
    const int32_t x = i <= a.rank ? a.dims[a.rank - i] : 1;
    const int32_t y = i <= b.rank ? b.dims[b.rank - i] : 1;
    node.Require(x == y || x == 1 || y == 1, "its inputs have unlike shapes");
    shape.dims[shape.rank - i] = x == 1 ? y : x;
  }
  return shape;
}

template <uint32_t types>
void Unary(Node* node) {
  Alike(node, types);
  node->Give(0, node->shape(0));
}

template <uint32_t types>
void Binary(Node* node) {
  Alike(node, types);
  node->Give(0, Broadcast(*node, node->shape(0), node->shape(1)));
}

// Sums of numbers of unlike grids.
template <uint32_t types>
void Sum(Node* node) {
  Binary<types>(node);
  if (!IsAmong(node->out(0), kQuantized)) return;
  const double largest = std::max(node->in(0).grid.scale, node->in(1).grid.scale);
  node->Require(node->out(0).grid.scale > largest * kLeastRatio, "its output has too fine a grid");
}

// Of two inputs of one type, truth values.
template <uint32_t types>
void Compare(Node* node) {
  node->Require(IsAmong(node->in(0), types) && node->in(0).element == node->in(1).element &&
                    IsAmong(node->out(0), kBool),
                "its operands have other types");
  node->Give(0, Broadcast(*node, node->shape(0), node->shape(1)));
}

void Cast(Node* node) {
  node->Require(IsAmong(node->in(0), kFloat | kInt | kBool) && IsAmong(node->out(0), kFloat | kInt),
                "its operands have other types");
  node->Give(0, node->shape(0));
}

// Whole quotients and remainders, which end the program for some divisors.
void Divide(Node* node) {
  Binary<kInt>(node);
  node->Require(node->IsPositive(1), "it may divide by 0");
}

void Select(Node* node) {
  node->Require(IsAmong(node->in(0), kBool), "its operands have other types");
  Alike(node, kFloat | kInt | kQuantized, 1);
  const Shape values = Broadcast(*node, node->shape(1), node->shape(2));
  node->Give(0, Broadcast(*node, node->shape(0), values));
}

void BroadcastTo(Node* node) {
  Copies(node, 0);
  const Element type = node->in(1).element;
  node->Require(IsAmong(node->in(1), kInt | Bit(Element::kI64)), "its operands have other types");
  const Integers wanted = node->Known(1, 1, ops::kMaxRank, type);
  Shape shape = {wanted.count, {}};
  std::copy_n(wanted.values, wanted.count, shape.dims);
  node->Require(shape.rank >= node->shape(0).rank, "its inputs have unlike shapes");
  const Shape all = Broadcast(*node, node->shape(0), shape);
  node->Require(std::equal(all.dims, all.dims + all.rank, shape.dims),
                "its inputs have unlike shapes");
  node->Give(0, shape);
}

void Dequantize(Node* node) {
  const GraphTensor& in = node->in(0);
  const bool is_grid = IsAmong(in, kQuantized) && in.grid.granularity == Grid::Granularity::kTensor;
  node->Require((is_grid || in.element == Element::kF16) && IsAmong(node->out(0), kFloat),
                "its operands have other types");
  node->Give(0, node->shape(0));
}

void Quantize(Node* node) {
  const GraphTensor &in = node->in(0), &out = node->out(0);
  const bool is_grid = IsAmong(in, kQuantized) && in.grid.granularity == Grid::Granularity::kTensor;
  node->Require((is_grid || IsAmong(in, kFloat)) && IsAmong(out, kQuantized) &&
                    out.grid.granularity == Grid::Granularity::kTensor,
                "its operands have other types");
  node->Give(0, node->shape(0));
}

// A matrix of weights, with a scale for each row, or for each block of a row.
void CheckWeight(const Node& node, const GraphTensor& weight) {
  node.Require(weight.shape.rank == 2, "its weights are no matrix");
  const int32_t rows = weight.shape.dims[0], cols = weight.shape.dims[1];
  const Grid& grid = weight.grid;
  const bool is_quantized = weight.element == Element::kI8 || weight.element == Element::kI4;
  if (!is_quantized) {
    node.Require((IsAmong(weight, kFloat) || weight.element == Element::kF16) &&
                     grid.granularity == Grid::Granularity::kNone,
                 "its weights are of another type");
    return;
  }
  node.Require(weight.data != nullptr && grid.centred, "its weights are not constant");
  node.Require(weight.element == Element::kI8 || cols % 2 == 0, "its weights have an odd width");
  if (grid.granularity == Grid::Granularity::kBlocks) {
    const GraphTensor& scales = node.tensor(grid.block_scales);
    node.Require(weight.element == Element::kI4 && grid.block % kBlockMultiple == 0 &&
                     cols % grid.block == 0 && scales.element == Element::kF16 &&
                     scales.data != nullptr && scales.shape.rank == 2 &&
                     scales.shape.dims[0] == rows && scales.shape.dims[1] == cols / grid.block,
                 "its weights have impossible blocks");
    return;
  }
  node.Require((grid.granularity == Grid::Granularity::kChannels && grid.axis == 0) ||
                   (grid.granularity == Grid::Granularity::kTensor && rows == 1),
               "its weights have not a scale for each row");
}

void EmbeddingLookup(Node* node) {
  const GraphTensor& table = node->in(1);
  CheckWeight(*node, table);
  const Element wanted = table.element == Element::kF16 ? Element::kF16 : Element::kF32;
  node->Require(IsAmong(node->in(0), kInt) && node->shape(0).rank == 1 &&
                    node->out(0).element == wanted && table.data != nullptr,
                "its operands have other types");
  node->Give(0, {2, {node->shape(0).dims[0], table.shape.dims[1]}});
}

void CheckBias(const Node& node, Element input, int32_t size) {
  const GraphTensor& bias = node.in(2);
  const Element wanted = input == Element::kI8    ? Element::kI32
                         : input == Element::kI16 ? Element::kI64
                                                  : Element::kF32;
  node.Require(bias.element == wanted && bias.data != nullptr && bias.shape.rank == 1 &&
                   bias.shape.dims[0] == size,
               "its bias has another size");
}

// Along rows or columns, one after another, without any beyond the ends.
void DepthwiseConv2d(Node* node) {
  Alike(node, kFloat | kQuantized, node->num_inputs());
  const GraphTensor &in = node->in(0), &taps = node->in(1);
  const bool is_static = IsAmong(in, kQuantized);
  const Shape &shape = node->shape(0), &window = taps.shape;
  node->Require(in.element == node->out(0).element &&
                    in.grid.granularity == node->out(0).grid.granularity && taps.data != nullptr &&
                    shape.rank == 4 && window.rank == 4,
                "its operands have other types");
  const bool has_scales =
      taps.element == Element::kI8 && taps.grid.centred &&
      (taps.grid.granularity == Grid::Granularity::kChannels
           ? taps.grid.axis == 3
           : window.dims[3] == 1 && taps.grid.granularity == Grid::Granularity::kTensor);
  node->Require(is_static
                    ? has_scales
                    : IsAmong(taps, kFloat) && taps.grid.granularity == Grid::Granularity::kNone,
                "its weights are of another type");
  Shape out = shape;
  for (int32_t i : {1, 2}) out.dims[i] -= window.dims[i] - 1;
  node->Require(window.dims[0] == 1 && window.dims[3] == shape.dims[3] && out.dims[1] >= 1 &&
                    out.dims[2] >= 1,
                "its inputs have unlike shapes");
  CheckBias(*node, in.element, shape.dims[3]);
  node->Give(0, out);
  node->Work(CountOf(out) * CountOf(window) / static_cast<uint64_t>(shape.dims[3]));
}

void FullyConnected(Node* node) {
  const GraphTensor &in = node->in(0), &weight = node->in(1), &out = node->out(0);
  CheckWeight(*node, weight);
  const bool is_static = IsAmong(in, kQuantized);
  const auto has_grid = [&](const GraphTensor& tensor) {
    return tensor.grid.granularity ==
           (is_static ? Grid::Granularity::kTensor : Grid::Granularity::kNone);
  };
  node->Require(in.element == out.element && IsAmong(in, kFloat | kQuantized) && has_grid(in) &&
                    has_grid(out) && weight.element != Element::kF16 &&
                    (!is_static || weight.element == Element::kI8),
                "its operands have other types");
  const Shape& shape = node->shape(0);
  const Shape& matrix = node->shape(1);
  const int32_t rows = matrix.dims[0], cols = matrix.dims[1];
  node->Require(shape.rank == 2 && shape.dims[1] == cols, "its input has another width");
  if (node->Has(2)) CheckBias(*node, in.element, rows);
  node->Work(CountOf(shape) * static_cast<uint64_t>(rows));
  node->Give(0, {2, {shape.dims[0], rows}});
}

void BatchMatMul(Node* node) {
  const Shape a = node->shape(0), b = node->shape(1);
  node->Require(a.rank == b.rank && a.rank >= 2, "its inputs have unlike shapes");
  const int32_t rank = a.rank;
  const bool transposed = node->option(1) != 0;
  const GraphTensor& matrices = node->in(1);
  if (matrices.data != nullptr && matrices.element == Element::kI8) {
    const bool has_scales = matrices.grid.granularity == Grid::Granularity::kChannels &&
                            matrices.grid.centred && matrices.grid.axis == rank - 1 && !transposed;
    node->Require(has_scales && IsAmong(node->in(0), kFloat) && IsAmong(node->out(0), kFloat),
                  "its operands have other types");
  } else {
    Alike(node, kFloat | kQuantized);
  }
  node->Require(node->in(0).data == nullptr && (matrices.data == nullptr || rank == 3),
                "it has another constant");
  const int32_t inner = b.dims[transposed ? rank - 1 : rank - 2];
  node->Require(a.dims[rank - 1] == inner, "its inputs have unlike shapes");
  Shape outer_a = a, outer_b = b;
  outer_a.rank = outer_b.rank = rank - 2;
  Shape shape = Broadcast(*node, outer_a, outer_b);
  shape.rank = rank;
  shape.dims[rank - 2] = a.dims[rank - 2];
  shape.dims[rank - 1] = b.dims[transposed ? rank - 2 : rank - 1];
  node->Give(0, shape);
  node->Work(CountOf(shape) * static_cast<uint64_t>(inner));
}

void Concatenation(Node* node) {
  Alike(node, kFloat | kQuantized);
  Shape shape = node->shape(0);
  const int32_t axis = AxisOf(*node, node->option(0), shape.rank);
  int64_t total = 0;
  for (size_t i = 0; i < node->num_inputs(); ++i) {
    Shape own = node->shape(i);
    node->Require(own.rank == shape.rank, "its inputs have unlike shapes");
    total += own.dims[axis];
    own.dims[axis] = shape.dims[axis];
    node->Require(std::equal(own.dims, own.dims + own.rank, shape.dims),
                  "its inputs have unlike shapes");
  }
  node->Require(total <= INT32_MAX, "its output is too large");
  shape.dims[axis] = static_cast<int32_t>(total);
  node->Give(0, shape);
}

void CumSum(Node* node) {
  Copies(node, 0);
  node->Require(IsAmong(node->in(0), kFloat | kInt), "its operands have other types");
  AxisOf(*node, node->Known(1, 0).values[0], node->shape(0).rank);
  node->Give(0, node->shape(0));
}

void DynamicUpdateSlice(Node* node) {
  const Shape &whole = node->shape(0), &part = node->shape(1);
  node->Require(IsAmong(node->in(0), kFloat) && IsAmong(node->in(1), kFloat) &&
                    IsAmong(node->out(0), kFloat) && IsAmong(node->in(2), kInt),
                "its operands have other types");
  const Shape& place = node->shape(2);
  node->Require(part.rank == whole.rank && place.rank == 1 && place.dims[0] == whole.rank,
                "its inputs have unlike shapes");
  for (int32_t i = 0; i < whole.rank; ++i) {
    node->Require(part.dims[i] <= whole.dims[i], "its inputs have unlike shapes");
  }
  node->Give(0, whole);
}

void ExpandDims(Node* node) {
  Copies(node, 0);
  const Shape& in = node->shape(0);
  const Integers axis = node->Known(1, 0);
  const int32_t at = AxisOf(*node, axis.values[0], in.rank + 1);
  Shape shape = {in.rank + 1, {}};
  node->Require(shape.rank <= ops::kMaxRank, "its output has too many dimensions");
  std::copy_n(in.dims, at, shape.dims);
  shape.dims[at] = 1;
  std::copy(in.dims + at, in.dims + in.rank, shape.dims + at + 1);
  node->Give(0, shape);
}

void Gather(Node* node) {
  Copies(node, 0);
  node->Require(IsAmong(node->in(0), kFloat | kInt | kQuantized) && IsAmong(node->in(1), kInt),
                "its operands have other types");
  const Shape &table = node->shape(0), &places = node->shape(1);
  const int32_t axis = AxisOf(*node, node->option(0), table.rank), batch = node->option(1);
  node->Require(batch <= axis && batch <= places.rank &&
                    std::equal(table.dims, table.dims + batch, places.dims),
                "its inputs have unlike shapes");
  Shape shape = {table.rank - 1 + places.rank - batch, {}};
  node->Require(shape.rank <= ops::kMaxRank, "its output has too many dimensions");
  int32_t* next = std::copy_n(table.dims, axis, shape.dims);
  next = std::copy(places.dims + batch, places.dims + places.rank, next);
  std::copy(table.dims + axis + 1, table.dims + table.rank, next);
  node->Give(0, shape);
  if (node->IsPositive(0)) node->SetPositive(0);
}

template <uint32_t types>
void Reduce(Node* node) {
  const GraphTensor &in = node->in(0), &out = node->out(0);
  const bool has_grid = IsAmong(in, kQuantized);
  const auto wanted = has_grid ? Grid::Granularity::kTensor : Grid::Granularity::kNone;
  node->Require(IsAmong(in, types) && in.element == out.element && in.grid.granularity == wanted &&
                    out.grid.granularity == wanted,
                "its operands have other types");
  Shape shape = node->shape(0);
  const Integers axes = node->Known(1, -1, shape.rank);
  node->Require(axes.count > 0, "it has no axes");
  bool reduced[ops::kMaxRank] = {};
  for (int32_t i = 0; i < axes.count; ++i) {
    bool& is_reduced = reduced[AxisOf(*node, axes.values[i], shape.rank)];
    node->Require(!is_reduced, "it has an axis twice");
    is_reduced = true;
  }
  node->Work(CountOf(shape));
  Shape left = {0, {}};
  for (int32_t i = 0; i < shape.rank; ++i) {
    if (!reduced[i]) {
      left.dims[left.rank++] = shape.dims[i];
    } else if (node->option(0) != 0) {
      left.dims[left.rank++] = 1;
    }
  }
  node->Give(0, left);
}

void Pad(Node* node) {
  Copies(node, 0);
  node->Require(IsAmong(node->in(0), kFloat | kInt | kQuantized), "its operands have other types");
  Shape shape = node->shape(0);
  const Integers padding = node->Known(1, 2);
  node->Require(padding.count == 2 * shape.rank && node->shape(1).dims[1] == 2,
                "its padding has another shape");
  for (int32_t i = 0; i < padding.count; ++i) {
    node->Require(padding.values[i] >= 0 && padding.values[i] <= kMostPadding &&
                      shape.dims[i / 2] <= INT32_MAX - padding.values[i],
                  "its padding is out of range");
    shape.dims[i / 2] += padding.values[i];
  }
  node->Give(0, shape);
}

void Range(Node* node) {
  for (size_t i = 0; i < 3; ++i) {
    node->Require(IsAmong(node->in(i), kInt), "its operands have other types");
  }
  node->Require(IsAmong(node->out(0), kInt), "its operands have other types");
  const int64_t start = node->Known(0, 0).values[0], limit = node->Known(1, 0).values[0];
  const int64_t delta = node->Known(2, 0).values[0];
  node->Require(delta > 0 && limit > start, "its range is impossible");
  const int64_t count = (limit - start + delta - 1) / delta;
  node->Require(count <= kMostRange, "its output is too large");
  node->Give(0, Vector(static_cast<int32_t>(count)));
}

void Reshape(Node* node) {
  Copies(node, 0);
  const Integers wanted = node->Known(1, 1, ops::kMaxRank);
  const auto count = static_cast<int64_t>(CountOf(node->shape(0)));
  Shape shape = {wanted.count, {}};
  int64_t known = 1;
  int32_t free = -1;
  for (int32_t i = 0; i < wanted.count; ++i) {
    shape.dims[i] = wanted.values[i];
    if (shape.dims[i] == -1) {
      node->Require(free < 0, "two of its extents are free");
      free = i;
      continue;
    }
    node->Require(shape.dims[i] >= 1 && known <= count, "its output has an impossible shape");
    known *= shape.dims[i];
  }
  if (free >= 0) {
    node->Require(count / known <= INT32_MAX, "its output is too large");
    shape.dims[free] = static_cast<int32_t>(count / known);
    known *= shape.dims[free];
  }
  node->Require(known == count, "its output has another number of elements");
  node->Give(0, shape);
}

void ReverseV2(Node* node) {
  Copies(node, 0);
  node->Require(IsAmong(node->in(0), kFloat | kInt), "its operands have other types");
  const Integers axis = node->Known(1, 1, 1);
  node->Require(axis.count == 1, "it has another number of axes");
  AxisOf(*node, axis.values[0], node->shape(0).rank);
  node->Give(0, node->shape(0));
}

void ShapeOf(Node* node) {
  const GraphTensor& out = node->out(0);
  node->Require(IsAmong(out, kInt | Bit(Element::kI64)) &&
                    node->option(0) == static_cast<int32_t>(out.element),
                "its operands have other types");
  const Shape& shape = node->shape(0);
  node->Require(shape.rank > 0, "its input is a scalar");
  Integers extents;
  extents.count = shape.rank;
  std::copy_n(shape.dims, shape.rank, extents.values);
  node->Give(0, Vector(shape.rank));
  node->Compute(0, extents);
}

template <uint32_t types>
void Softmax(Node* node) {
  Alike(node, types);
  node->Require(node->shape(0).rank >= 1, "its input is a scalar");
  node->Give(0, node->shape(0));
}

void Split(Node* node) {
  Copies(node, 1);
  node->Require(IsAmong(node->in(1), kFloat | kQuantized), "its operands have other types");
  Shape shape = node->shape(1);
  const int32_t axis = AxisOf(*node, node->Known(0, 0).values[0], shape.rank);
  const auto parts = static_cast<int32_t>(node->num_outputs());
  node->Require(node->option(0) == parts && shape.dims[axis] % parts == 0,
                "its input cannot be split so");
  shape.dims[axis] /= parts;
  for (size_t i = 0; i < node->num_outputs(); ++i) node->Give(i, shape);
}

void SplitV(Node* node) {
  Copies(node, 0);
  node->Require(IsAmong(node->in(0), kFloat), "its operands have other types");
  Shape shape = node->shape(0);
  const Integers parts = node->Known(1, 1);
  const int32_t axis = AxisOf(*node, node->Known(2, 0).values[0], shape.rank);
  const auto count = static_cast<int32_t>(node->num_outputs());
  node->Require(parts.count == count && node->option(0) == count, "its input cannot be split so");
  int64_t left = shape.dims[axis];
  for (int32_t i = 0; i < count; ++i) {
    node->Require(parts.values[i] >= 1 && parts.values[i] <= left, "its input cannot be split so");
    left -= parts.values[i];
    shape.dims[axis] = parts.values[i];
    node->Give(static_cast<size_t>(i), shape);
  }
  node->Require(left == 0, "its input cannot be split so");
}

void StridedSlice(Node* node) {
  enum { kBeginMask, kEndMask, kShrinkMask = 4 };
  Copies(node, 0);
  const Shape& in = node->shape(0);
  const Integers begins = node->Known(1, 1), ends = node->Known(2, 1), strides = node->Known(3, 1);
  node->Require(begins.count == in.rank && ends.count == in.rank && strides.count == in.rank,
                "it has not a range for each axis");
  const auto has = [node](size_t mask, int32_t axis) {
    return (node->option(mask) >> axis & 1) != 0;
  };
  const auto place = [](int64_t at, int64_t extent) {
    return std::clamp<int64_t>(at < 0 ? at + extent : at, 0, extent);
  };
  Shape shape = {0, {}};
  int32_t first = 0;
  for (int32_t i = 0; i < in.rank; ++i) {
    const int64_t extent = in.dims[i], stride = strides.values[i];
    const int64_t begin = has(kBeginMask, i) ? 0 : place(begins.values[i], extent);
    const int64_t end = has(kEndMask, i) ? extent : place(ends.values[i], extent);
    first = static_cast<int32_t>(begin);
    node->Require(stride >= 1, "its range is impossible");
    if (has(kShrinkMask, i)) {
      node->Require(begin < extent && stride == 1, "its range is impossible");
      continue;
    }
    node->Require(end >= begin, "its range is impossible");
    shape.dims[shape.rank++] = static_cast<int32_t>((end - begin + stride - 1) / stride);
  }
  node->Give(0, shape);
  const Integers values = node->Computed(0);
  if (shape.rank == 0 && values.count > first) {
    Integers one;
    one.count = 1;
    one.values[0] = values.values[first];
    node->Compute(0, one);
  }
}

void Transpose(Node* node) {
  Copies(node, 0);
  const Shape& in = node->shape(0);
  const Integers axes = node->Known(1, 1, ops::kMaxRank);
  node->Require(axes.count == in.rank, "it has not every axis");
  Shape shape = {in.rank, {}};
  bool taken[ops::kMaxRank] = {};
  for (int32_t i = 0; i < in.rank; ++i) {
    const int32_t axis = axes.values[i];
    node->Require(axis >= 0 && axis < in.rank && !taken[axis], "it has not every axis");
    taken[axis] = true;
    shape.dims[i] = in.dims[axis];
  }
  node->Give(0, shape);
}

void Custom(Node* node) {
  const ops::Op& op = node->custom();
  node->Require(node->num_inputs() == ops::NumPacked(op) && node->num_outputs() == op.num_outputs,
                "it has another number of tensors");
  const uint32_t types = kFloat | kInt | Bit(Element::kI8) | Bit(Element::kI4);
  std::vector<Shape> shapes;
  uint64_t constants = 0;
  for (size_t i = 0; i < node->num_inputs(); ++i) {
    const GraphTensor& tensor = node->in(i);
    node->Require(IsAmong(tensor, types), "its operands have other types");
    if (tensor.data != nullptr) constants += BytesOf(tensor.element, CountOf(tensor.shape));
    shapes.push_back(node->shape(i));
  }
  const GraphTensor& pack = node->in(node->num_inputs() - 1);
  node->Require(pack.data != nullptr && pack.element == Element::kI8 && pack.shape.rank == 2,
                "its constants are not packed");
  std::vector<Shape> placed(op.num_inputs), inferred(op.num_outputs);
  ops::PlaceComputed(op, shapes.data(), placed.data());
  op.infer(placed.data(), pack.shape.dims[0], inferred.data());
  for (size_t i = 0; i < inferred.size(); ++i) {
    node->Require(IsAmong(node->out(i), kFloat | kInt), "its operands have other types");
    node->Give(i, inferred[i]);
  }
  const Shape& first = shapes[0];
  node->Require(first.rank > 0, "its input is a scalar");
  const uint64_t rows = CountOf(first) / static_cast<uint64_t>(first.dims[first.rank - 1]);
  node->Work(rows * 2 * constants);
}

constexpr uint32_t kReal = kFloat | kQuantized;
constexpr Option kActivation = {Option::kByte, 0, 3};  // None, ReLU, or a clipped one.
constexpr Option kNoActivation = {Option::kByte, 0, 0};
constexpr Option kFlag = {Option::kFlag, 0, 1};
constexpr Option kNo = {Option::kFlag, 0, 0};
constexpr Option kMask = {Option::kWord, 0, 31};
constexpr Option kNoMask = {Option::kWord, 0, 0};
constexpr Option kIntegerType = {Option::kByte, 2, 4};
constexpr Option kValid = {Option::kByte, 1, 1};
constexpr Option kOnce = {Option::kWord, 1, 1};
constexpr Option kDefault = {Option::kAbsent, 0, 0};
constexpr size_t kAll = Rule::kNone;

constexpr Rule kRules[] = {
    {"ADD", 0, 11, {kActivation, kFlag}, 2, 2, kAll, 1, Sum<kReal | kInt>},
    {"CONCATENATION",
     2,
     10,
     {{Option::kWord, -4, 3}, kNoActivation},
     2,
     64,
     kAll,
     1,
     Concatenation},
    {"DEPTHWISE_CONV_2D",
     4,
     2,
     {kValid, kOnce, kOnce, kOnce, kActivation, kDefault, kDefault},
     3,
     3,
     kAll,
     1,
     DepthwiseConv2d},
    {"DEQUANTIZE", 6, 0, {}, 1, 1, kAll, 1, Dequantize},
    {"EMBEDDING_LOOKUP", 7, 0, {}, 2, 2, kAll, 1, EmbeddingLookup},
    {"FULLY_CONNECTED",
     9,
     8,
     {kActivation, {Option::kByte, 0, 0}, kNo, kFlag, {Option::kByte, 0, 0}},
     3,
     3,
     2,
     1,
     FullyConnected},
    {"L2_NORMALIZATION", 11, 12, {kNoActivation}, 1, 1, kAll, 1, Unary<kFloat>},
    {"LOGISTIC", 14, 0, {}, 1, 1, kAll, 1, Unary<kReal>},
    {"MUL", 18, 21, {kActivation}, 2, 2, kAll, 1, Binary<kReal | kInt>},
    {"RELU", 19, 0, {}, 1, 1, kAll, 1, Unary<kReal>},
    {"RELU6", 21, 0, {}, 1, 1, kAll, 1, Unary<kReal>},
    {"RESHAPE", 22, 0, {}, 2, 2, kAll, 1, Reshape},
    {"SOFTMAX", 25, 9, {{Option::kOne, 0, 0}}, 1, 1, kAll, 1, Softmax<kReal>},
    {"TANH", 28, 0, {}, 1, 1, kAll, 1, Unary<kReal>},
    {"PAD", 34, 22, {}, 2, 2, kAll, 1, Pad},
    {"GATHER", 36, 23, {{Option::kWord, -4, 3}, {Option::kWord, 0, 3}}, 2, 2, kAll, 1, Gather},
    {"TRANSPOSE", 39, 0, {}, 2, 2, kAll, 1, Transpose},
    {"MEAN", 40, 27, {kFlag}, 2, 2, kAll, 1, Reduce<kReal>},
    {"SUB", 41, 28, {kActivation, kFlag}, 2, 2, kAll, 1, Sum<kReal | kInt>},
    {"DIV", 42, 29, {kNoActivation}, 2, 2, kAll, 1, Binary<kReal>},
    {"STRIDED_SLICE",
     45,
     32,
     {kMask, kMask, kNoMask, kNoMask, kMask, kNo},
     4,
     4,
     kAll,
     1,
     StridedSlice},
    {"EXP", 47, 33, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"SPLIT", 49, 35, {{Option::kWord, 2, 64}}, 2, 2, kAll, 64, Split},
    {"LOG_SOFTMAX", 50, 36, {}, 1, 1, kAll, 1, Softmax<kFloat>},
    {"CAST", 53, 0, {}, 1, 1, kAll, 1, Cast},
    {"MAXIMUM", 55, 0, {}, 2, 2, kAll, 1, Binary<kReal | kInt>},
    {"MINIMUM", 57, 0, {}, 2, 2, kAll, 1, Binary<kReal | kInt>},
    {"LESS", 58, 0, {}, 2, 2, kAll, 1, Compare<kFloat | kInt>},
    {"GREATER", 61, 0, {}, 2, 2, kAll, 1, Compare<kFloat | kInt>},
    {"GREATER_EQUAL", 62, 0, {}, 2, 2, kAll, 1, Compare<kFloat | kInt>},
    {"LESS_EQUAL", 63, 0, {}, 2, 2, kAll, 1, Compare<kFloat | kInt>},
    {"SIN", 66, 0, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"EXPAND_DIMS", 70, 52, {}, 2, 2, kAll, 1, ExpandDims},
    {"EQUAL", 71, 0, {}, 2, 2, kAll, 1, Compare<kFloat | kInt>},
    {"LOG", 73, 0, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"SUM", 74, 27, {kFlag}, 2, 2, kAll, 1, Reduce<kReal | kInt>},
    {"RSQRT", 76, 0, {}, 1, 1, kAll, 1, Unary<kReal>},
    {"SHAPE", 77, 55, {kIntegerType}, 1, 1, kAll, 1, ShapeOf},
    {"REDUCE_MAX", 82, 27, {kFlag}, 2, 2, kAll, 1, Reduce<kFloat>},
    {"LOGICAL_AND", 86, 0, {}, 2, 2, kAll, 1, Compare<kBool>},
    {"FLOOR_DIV", 90, 0, {}, 2, 2, kAll, 1, Divide},
    {"SQUARE", 92, 66, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"ZEROS_LIKE", 93, 67, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"FLOOR_MOD", 95, 0, {}, 2, 2, kAll, 1, Divide},
    {"RANGE", 96, 0, {}, 3, 3, kAll, 1, Range},
    {"LEAKY_RELU", 98, 75, {{Option::kSlope, 0, 0}}, 1, 1, kAll, 1, Unary<kFloat>},
    {"SQUARED_DIFFERENCE", 99, 0, {}, 2, 2, kAll, 1, Binary<kFloat>},
    {"ABS", 101, 0, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"SPLIT_V", 102, 79, {{Option::kWord, 2, 64}}, 3, 3, kAll, 64, SplitV},
    {"REVERSE_V2", 105, 0, {}, 2, 2, kAll, 1, ReverseV2},
    {"COS", 108, 0, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"ELU", 111, 0, {}, 1, 1, kAll, 1, Unary<kFloat>},
    {"QUANTIZE", 114, 0, {}, 1, 1, kAll, 1, Quantize},
    {"SELECT_V2", 123, 98, {}, 3, 3, kAll, 1, Select},
    {"BATCH_MATMUL", 126, 101, {kNo, kFlag, kFlag}, 2, 2, kAll, 1, BatchMatMul},
    {"CUMSUM", 128, 102, {kNo, kNo}, 2, 2, kAll, 1, CumSum},
    {"BROADCAST_TO", 130, 0, {}, 2, 2, kAll, 1, BroadcastTo},
    {"GELU", 150, 116, {kFlag}, 1, 1, kAll, 1, Unary<kReal>},
    {"DYNAMIC_UPDATE_SLICE", 151, 0, {}, 3, 3, kAll, 1, DynamicUpdateSlice},
};

}  // namespace

const Rule kCustomRule = {"custom operation", 32, 0, {}, 1, 16, kAll, 4, Custom};

const Rule* FindRule(int32_t code) {
  if (code == kCustomRule.code) return &kCustomRule;
  for (const Rule& rule : kRules) {
    if (rule.code == code) return &rule;
  }
  return nullptr;
}

Integers Node::Computed(size_t input) const {
  const auto it = sizes_.integers.find(Input(input));
  return it == sizes_.integers.end() ? Integers() : it->second;
}

Integers Node::Known(size_t input, int32_t rank, int32_t most, Element type) const {
  const GraphTensor& tensor = in(input);
  Require(tensor.element == type && (rank < 0 ? tensor.shape.rank <= 1 : tensor.shape.rank == rank),
          "its operands have other types");
  Integers integers = Computed(input);
  if (tensor.data != nullptr) {
    const uint64_t count = CountOf(tensor.shape);
    Require(type == Element::kI32 && count <= Integers::kMost, "it has too many axes");
    integers.count = static_cast<int32_t>(count);
    std::memcpy(integers.values, tensor.data, count * sizeof(int32_t));
  }
  Require(integers.count >= 0, "its output depends on more than shapes");
  Require(integers.count <= most, "it has too many axes");
  return integers;
}

bool Node::IsPositive(size_t input) const {
  const GraphTensor& tensor = in(input);
  if (tensor.data == nullptr) return sizes_.positive.count(Input(input)) > 0;
  const auto* const values = reinterpret_cast<const int32_t*>(tensor.data);
  return IsAmong(tensor, kInt) && std::all_of(values, values + CountOf(tensor.shape),
                                              [](int32_t value) { return value > 0; });
}

void Node::Give(size_t output, const ops::Shape& shape) {
  const GraphTensor& tensor = out(output);
  Require(shape.rank == tensor.shape.rank && tensor.data == nullptr,
          "its output has another shape");
  uint64_t count = 1;
  for (int32_t i = 0; i < shape.rank; ++i) {
    const bool is_open = !sizes_.are_stored || (tensor.open >> i & 1) != 0;
    Require(is_open || shape.dims[i] == tensor.shape.dims[i], "its output has another shape");
    Require(shape.dims[i] >= 1, "its output is empty");
    count *= static_cast<uint64_t>(shape.dims[i]);
    Require(count <= kMostElements, "its output is too large");
  }
  sizes_.shapes[Output(output)] = shape;
}

void Node::Fail(const std::string& what) const {
  throw Error(
      Error::Code::kBadBundle,
      std::string(own_.custom == nullptr ? own_.rule->name : own_.custom->name) + ": " + what);
}

}  // namespace tfcompress::litert
