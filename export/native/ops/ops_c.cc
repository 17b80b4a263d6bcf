#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/last_error.h"
#include "include/tfcompress_ops.h"
#include "kernels/levels.h"
#include "ops/operands.h"

using tfcompress::Error;
using tfcompress::Guarded;
using tfcompress::Require;
namespace kernels = tfcompress::kernels;
namespace ops = tfcompress::ops;

namespace {

ops::Tensor View(const tfc_tensor& input) {
  Require(input.type >= TFC_FLOAT32 && input.type <= TFC_INT4_PANELS,
          "A tensor must have a known type", std::to_string(input.type), "Give one of tfc_type");
  Require(input.rank >= 0 && input.rank <= ops::kMaxRank, "A tensor's rank must be from 0 to 8",
          std::to_string(input.rank), "Give another");
  Require((input.dims != nullptr || input.rank == 0) && input.data != nullptr,
          "A tensor needs `dims` and `data`", "a null pointer", "Pass them");
  const bool words = input.type == TFC_FLOAT32 || input.type == TFC_INT32;
  Require(!words || reinterpret_cast<uintptr_t>(input.data) % alignof(float) == 0,
          "Data of float32 and int32 must begin at a multiple of 4 bytes", "another address",
          "Align it");
  ops::Tensor tensor = {static_cast<ops::Type>(input.type), {input.rank, {}}, input.data};
  std::copy_n(input.dims, input.rank, tensor.shape.dims);
  return tensor;
}

std::vector<ops::Tensor> Views(const tfc_tensor* tensors, size_t count, bool is_count) {
  Require(tensors != nullptr && is_count, "An operation has another number of tensors",
          std::to_string(count), "Give those of its schema");
  std::vector<ops::Tensor> views;
  std::transform(tensors, tensors + count, std::back_inserter(views), View);
  return views;
}

bool SameShape(const ops::Shape& a, const ops::Shape& b) {
  return a.rank == b.rank && std::equal(a.dims, a.dims + a.rank, b.dims);
}

void Run(const ops::Op& op, const kernels::Kernels& kernels, const std::vector<ops::Tensor>& inputs,
         const std::vector<ops::Tensor>& outputs) {
  std::vector<ops::Shape> shapes, inferred(outputs.size());
  for (const ops::Tensor& input : inputs) shapes.push_back(input.shape);
  const ops::Shape& first = outputs[0].shape;
  op.infer(shapes.data(), first.rank == 0 ? 0 : first.dims[first.rank - 1], inferred.data());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!SameShape(outputs[i].shape, inferred[i])) {
      throw Error(Error::Code::kBadBundle, "A custom operation has other operands than it takes",
                  std::string(op.name) + ": output " + std::to_string(i) + " must be " +
                      ops::Text(inferred[i]) + ", not " + ops::Text(outputs[i].shape),
                  "Export the bundle again");
    }
  }
  op.run(kernels, inputs, outputs);
}

}  // namespace

tfc_status tfc_run_op(const char* name, const char* level, size_t num_inputs,
                      const tfc_tensor* inputs, size_t num_outputs, const tfc_tensor* outputs) {
  return Guarded([&] {
    tfcompress::RequirePointers(name != nullptr, "`name`");
    const ops::Op* const op = ops::Find(name);
    if (op == nullptr) {
      throw Error(Error::Code::kInvalidArgument, "The operation is unknown", name,
                  "Give one of tfcompress.custom_ops");
    }
    const kernels::Level chosen = level == nullptr ? kernels::Best() : kernels::FromName(level);
    Run(*op, kernels::For(chosen), Views(inputs, num_inputs, ops::IsCount(*op, num_inputs)),
        Views(outputs, num_outputs, num_outputs == op->num_outputs));
  });
}

const char* tfc_level(size_t index) {
  const std::vector<kernels::Level>& levels = kernels::AvailableLevels();
  return index < levels.size() ? kernels::Name(levels[index]) : nullptr;
}
