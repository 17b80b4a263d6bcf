#include "ops/pack.h"

#include <cstring>
#include <string>

#include "common/error.h"

namespace tfcompress::ops {
namespace {

constexpr int32_t kRank = 4;
constexpr uint64_t kAlignment = 64;

struct Entry {
  int32_t type;
  int32_t rank;
  int32_t dims[kRank];
  int32_t start;
};

void Require(const Op& op, bool holds) {
  if (!holds) {
    throw Error(Error::Code::kBadBundle, "The constants of a custom operation are corrupt", op.name,
                kCopyAgain);
  }
}

// How many bytes a tensor of so many values takes, or more than any pack has if that is impossible.
uint64_t Bytes(const Tensor& tensor, uint64_t elements) {
  if (tensor.type == Type::kInt4) return (elements + 1) / 2;
  if (tensor.type == Type::kInt8) return elements;
  if (tensor.type != Type::kInt8Panels && tensor.type != Type::kInt4Panels) {
    return elements * sizeof(float);
  }
  const auto& [rank, dims] = tensor.shape;
  if (rank < 2 || elements == 0) return UINT64_MAX;
  const int32_t rows = dims[rank - 2], cols = dims[rank - 1];
  const uint64_t matrices = elements / (static_cast<uint64_t>(rows) * static_cast<uint64_t>(cols));
  return matrices * kernels::MatrixBytes(tensor.type, rows, cols);
}

// Takes what the entry's values need from the bytes that are left.
Tensor View(const Op& op, const Entry& entry, char* pack, uint64_t size, uint64_t* left) {
  Require(op, entry.type >= 0 && entry.type <= static_cast<int32_t>(Type::kInt4Panels) &&
                  entry.rank >= 0 && entry.rank <= kRank && entry.start >= 0);
  const uint64_t start = static_cast<uint64_t>(entry.start) * kAlignment;
  Require(op, start <= size);
  Tensor tensor = {static_cast<Type>(entry.type), {entry.rank, {}}, pack + start};
  uint64_t elements = 1;
  for (int32_t i = 0; i < entry.rank; ++i) {
    Require(op, entry.dims[i] >= 0);
    tensor.shape.dims[i] = entry.dims[i];
    elements *= static_cast<uint64_t>(entry.dims[i]);
    // So the product of the next extent cannot overflow.
    Require(op, elements <= 2 * size);
  }
  const uint64_t bytes = Bytes(tensor, elements);
  Require(op, bytes <= size - start && bytes <= *left);
  *left -= bytes;
  return tensor;
}

}  // namespace

size_t NumPacked(const Op& op) {
  size_t count = 1;
  for (size_t i = 0; i < op.num_inputs; ++i) count += op.computed >> i & 1;
  return count;
}

void Unpack(const Op& op, const Tensor& pack, Tensors* inputs) {
  Require(op, pack.type == Type::kInt8 && pack.shape.rank == 2);
  auto* const bytes = static_cast<char*>(pack.data);
  const uint64_t size =
      static_cast<uint64_t>(pack.shape.dims[0]) * static_cast<uint64_t>(pack.shape.dims[1]);
  Require(op, size >= sizeof(int32_t));
  int32_t packed;
  std::memcpy(&packed, bytes, sizeof(packed));
  const char* next = bytes + sizeof(packed);
  Require(op,
          packed >= 0 && static_cast<uint64_t>(packed) <= (size - sizeof(packed)) / sizeof(Entry));
  const size_t count = static_cast<size_t>(packed) + NumPacked(op) - 1;
  Require(op, IsCount(op, count));
  inputs->resize(count);
  // No two share their values.
  uint64_t left = size;
  for (size_t i = 0; i < count; ++i) {
    if (i < op.num_inputs && (op.computed >> i & 1) != 0) continue;
    Entry entry;
    std::memcpy(&entry, next, sizeof(entry));
    next += sizeof(entry);
    (*inputs)[i] = View(op, entry, bytes, size, &left);
  }
}

}  // namespace tfcompress::ops
