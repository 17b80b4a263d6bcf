#ifndef TFCOMPRESS_OPS_OPERANDS_H_
#define TFCOMPRESS_OPS_OPERANDS_H_

#include <initializer_list>
#include <string>

#include "ops/op.h"

namespace tfcompress::ops {

// A matrix of weights and what is added to its products.
struct Dense {
  kernels::Weight weight;
  const float* bias;
};

// Reads the tensors of an operation one after another. Each function checks the type and the shape
// of those that it reads, and throws Error (kBadBundle).
class Operands {
 public:
  Operands(const char* op, const char* role, const Tensors& tensors)
      : op_(op), role_(role), tensors_(tensors.data()) {}

  // The extents of the next one, which has this rank.
  const int32_t* Peek(int32_t rank) const;
  const Tensor& Next() { return tensors_[next_++]; }
  // Goes on at the one of an index.
  void Seek(size_t index) { next_ = index; }

  float* Floats(std::initializer_list<int64_t> dims);
  int32_t* Ints(std::initializer_list<int64_t> dims);
  // All values of int32 of a vector.
  struct Vector {
    const int32_t* values;
    int32_t size;
  };
  Vector IntVector();
  // A tensor of any rank but 0 as rows of its last dimension.
  struct Rows {
    float* values;
    int32_t count;
    int32_t width;
  };
  Rows FloatRows();
  // A matrix, or some of them one below the other, and its scales.
  kernels::Weight Weight(std::initializer_list<int64_t> dims);
  // A matrix, its scales and a bias.
  Dense Layer(int64_t rows, int64_t cols);

  // Throws Error unless it holds; the message says what is wrong.
  void Require(bool holds, const char* message) const {
    if (!holds) Fail(message);
  }
  [[noreturn]] void Fail(const std::string& message) const;

 private:
  void Check(const Tensor& tensor, Type type, std::initializer_list<int64_t> dims) const;
  [[noreturn]] void FailAt(const Tensor& tensor, const std::string& wanted) const;

  const char* op_;
  const char* role_;
  const Tensor* tensors_;
  size_t next_ = 0;
};

// Values of a config.
int32_t CountOf(const Operands& operands, int32_t value);  // At least 1.
bool FlagOf(const Operands& operands, int32_t value);
float EpsilonOf(const Operands& operands, int32_t bits);
kernels::Activation ActivationOf(const Operands& operands, int32_t value);

// An operand of a rank, for functions that infer shapes; throws Error (kBadBundle) if it has none.
const Shape& Ranked(const Shape& shape, int32_t rank);

std::string Text(const Shape& shape);

}  // namespace tfcompress::ops

#endif  // TFCOMPRESS_OPS_OPERANDS_H_
