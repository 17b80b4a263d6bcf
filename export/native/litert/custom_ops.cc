#include "litert/custom_ops.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "common/error.h"
#include "kernels/levels.h"
#include "ops/operands.h"
#include "ops/pack.h"

namespace tfcompress::litert {
namespace {

constexpr int kVersion = 1;

// An operation and what it needs to run; LiteRT hands it to the kernel's functions.
struct Registered {
  const Api* api;
  const ops::Op* op;
};

std::exception_ptr& Failure() {
  thread_local std::exception_ptr failure;
  return failure;
}

// Runs what may throw, and keeps what it threw.
template <typename Action>
Status Guarded(Action action) noexcept {
  try {
    action();
    return 0;
  } catch (...) {
    if (Failure() == nullptr) Failure() = std::current_exception();
    return 1;
  }
}

ops::Type OwnType(int32_t type) {
  switch (type) {
    case kFloat32:
      return ops::Type::kFloat32;
    case kInt32:
      return ops::Type::kInt32;
    case kInt8:
      return ops::Type::kInt8;
    case kInt4:
      return ops::Type::kInt4;
    default:
      throw Error(Error::Code::kBadBundle, "A custom operation has other operands than it takes",
                  "type " + std::to_string(type), "Export the bundle again");
  }
}

ops::Shape OwnShape(const Layout& layout) {
  ops::Shape shape = {};
  shape.rank = std::min<int32_t>(layout.rank, std::size(shape.dims));
  std::copy_n(layout.dimensions, shape.rank, shape.dims);
  return shape;
}

void CheckCounts(const ops::Op& op, size_t num_inputs, size_t num_outputs) {
  const size_t wanted = ops::NumPacked(op);
  if (num_inputs == wanted && num_outputs == op.num_outputs) return;
  throw Error(Error::Code::kBadBundle, "A custom operation has other operands than it takes",
              std::string(op.name) + ": " + std::to_string(num_inputs) + " inputs and " +
                  std::to_string(num_outputs) + " outputs, not " + std::to_string(wanted) +
                  " and " + std::to_string(op.num_outputs),
              "Export the bundle again");
}

std::vector<ops::Tensor> Tensors(const Api& api, const Handle* buffers, size_t count) {
  std::vector<ops::Tensor> tensors(count);
  for (size_t i = 0; i < count; ++i) {
    TensorType type = {};
    Check(api.GetTensorBufferTensorType(buffers[i], &type), "LiteRT gives no type of an operand");
    tensors[i] = {OwnType(type.element_type), OwnShape(type.layout), nullptr};
    Check(api.GetTensorBufferHostMemory(buffers[i], &tensors[i].data),
          "LiteRT gives no memory of an operand");
  }
  return tensors;
}

// All inputs, of which the last one is the pack.
std::vector<ops::Tensor> Inputs(const Api& api, const ops::Op& op, const Handle* buffers,
                                size_t count) {
  const std::vector<ops::Tensor> tensors = Tensors(api, buffers, count);
  std::vector<ops::Tensor> inputs(op.num_inputs);
  ops::PlaceComputed(op, tensors.data(), inputs.data());
  ops::Unpack(op, tensors.back(), &inputs);
  return inputs;
}

Status Init(void*, const void*, size_t) { return 0; }

Status GetOutputLayouts(void* user_data, size_t num_inputs, const Layout* inputs,
                        size_t num_outputs, Layout* outputs) {
  return Guarded([&] {
    const ops::Op& op = *static_cast<const Registered*>(user_data)->op;
    std::fill_n(outputs, num_outputs, Layout{});
    CheckCounts(op, num_inputs, num_outputs);
    std::vector<ops::Shape> shapes(num_inputs), placed(op.num_inputs), inferred(num_outputs);
    std::transform(inputs, inputs + num_inputs, shapes.begin(), OwnShape);
    ops::PlaceComputed(op, shapes.data(), placed.data());
    op.infer(placed.data(), ops::Ranked(shapes.back(), 2).dims[0], inferred.data());
    for (size_t i = 0; i < num_outputs; ++i) {
      outputs[i].rank = static_cast<uint32_t>(inferred[i].rank) & 7;
      std::copy_n(inferred[i].dims, inferred[i].rank, outputs[i].dimensions);
    }
  });
}

Status Run(void* user_data, size_t num_inputs, const Handle* inputs, size_t num_outputs,
           Handle* outputs) {
  return Guarded([&] {
    const Registered& registered = *static_cast<const Registered*>(user_data);
    CheckCounts(*registered.op, num_inputs, num_outputs);
    registered.op->run(kernels::For(kernels::Best()),
                       Inputs(*registered.api, *registered.op, inputs, num_inputs),
                       Tensors(*registered.api, outputs, num_outputs));
  });
}

Status Destroy(void*) { return 0; }

// Both stay for the life of the process, as LiteRT keeps pointers to them.
const std::vector<Registered>& All(const Api& api) {
  static const std::vector<Registered> all = [&api] {
    std::vector<Registered> operations;
    for (const ops::Op* op : ops::All()) operations.push_back({&api, op});
    return operations;
  }();
  return all;
}

}  // namespace

void AddCustomOps(const Api& api, Handle options) {
  static constexpr CustomOpKernel kKernel = {Init, GetOutputLayouts, Run, Destroy};
  for (const Registered& registered : All(api)) {
    Check(api.AddCustomOpKernelOption(options, registered.op->name, kVersion, &kKernel,
                                      const_cast<Registered*>(&registered)),
          std::string("LiteRT does not take the operation ") + registered.op->name);
  }
}

void ThrowCustomOpError() {
  if (Failure() == nullptr) return;
  std::rethrow_exception(std::exchange(Failure(), nullptr));
}

}  // namespace tfcompress::litert
