#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/last_error.h"
#include "litert/model.h"
#include "runtime/c_handles.h"
#include "tfcompress.h"

using tfcompress::Guarded;
using tfcompress::Require;
namespace litert = tfcompress::litert;

struct tfc_model {
  litert::Model model;
  std::map<std::string, litert::Model::Signature> signatures;
};

namespace {

constexpr size_t kMaxRank = 8;
constexpr char kModel[] = "/model.tflite";

// Arrays and what they point to.
struct OwnedArrays : tfc_arrays {
  std::vector<std::string> names;
  std::vector<litert::Shape> shapes;
  litert::Buffers buffers;
  std::vector<tfc_array> views;
};

int32_t ElementType(int32_t type) {
  Require(type == TFC_ARRAY_FLOAT32 || type == TFC_ARRAY_INT32,
          "arrays must be of float32 or int32");
  return type == TFC_ARRAY_FLOAT32 ? litert::kFloat32 : litert::kInt32;
}

litert::Shape ShapeOf(const tfc_array& array) {
  Require(array.name != nullptr && array.rank <= kMaxRank &&
              (array.rank == 0 || array.dims != nullptr) && array.data != nullptr,
          "every array needs a name, at most 8 extents, and data");
  litert::Shape shape(array.dims, array.dims + array.rank);
  Require(std::all_of(shape.begin(), shape.end(), [](int32_t extent) { return extent > 0; }),
          "extents must be at least 1");
  return shape;
}

litert::Model::Signature& Find(tfc_model* model, const char* name) {
  auto it = model->signatures.find(name);
  if (it == model->signatures.end()) {
    it = model->signatures.emplace(name, model->model.Find(name)).first;
  }
  return it->second;
}

litert::Buffers Uploaded(const tfc_model* model, litert::Model::Signature* signature,
                         size_t num_inputs, const tfc_array* inputs) {
  const litert::Specs specs = signature->inputs();
  Require(num_inputs == specs.size(), "there must be an array for each input of the signature");
  litert::Buffers buffers;
  for (size_t i = 0; i < num_inputs; ++i) {
    const litert::Shape shape = ShapeOf(inputs[i]);
    const auto spec = specs.find(inputs[i].name);
    Require(spec != specs.end(), "an array has the name of no input");
    Require(spec->second.type == ElementType(inputs[i].type), "an array has another type");
    signature->Resize(inputs[i].name, shape);
    const litert::Buffer buffer = model->model.NewBuffer(spec->second.type, shape);
    std::memcpy(buffer.floats(), inputs[i].data, buffer.elements() * sizeof(float));
    buffers[inputs[i].name] = buffer;
  }
  return buffers;
}

std::unique_ptr<OwnedArrays> NewOutputs(const tfc_model* model,
                                        const litert::Model::Signature& signature) {
  auto owned = std::make_unique<OwnedArrays>();
  for (const auto& [name, spec] : signature.CurrentOutputs()) {
    Require(spec.type == litert::kFloat32 || spec.type == litert::kInt32,
            "outputs must be of float32 or int32");
    owned->names.push_back(name);
    owned->shapes.push_back(spec.shape);
    owned->buffers[name] = model->model.NewBuffer(spec.type, spec.shape);
    owned->views.push_back({nullptr,
                            spec.type == litert::kFloat32 ? TFC_ARRAY_FLOAT32 : TFC_ARRAY_INT32,
                            spec.shape.size(), nullptr, nullptr});
  }
  for (size_t i = 0; i < owned->views.size(); ++i) {
    owned->views[i].name = owned->names[i].c_str();
    owned->views[i].dims = owned->shapes[i].data();
    owned->views[i].data = owned->buffers[owned->names[i]].floats();
  }
  owned->num_arrays = owned->views.size();
  owned->arrays = owned->views.data();
  return owned;
}

}  // namespace

tfc_status tfc_open_model(const char* folder, const tfc_options* options, tfc_model** model) {
  return Guarded([&] {
    Require(folder != nullptr && model != nullptr, "`folder` and `model` must be given");
    const std::string file = std::string(folder) + kModel;
    const tfc_options checked = tfcompress::CheckedOptions(options);
    const litert::Api& api = tfcompress::LoadedApi(checked);
    *model = new tfc_model{
        litert::Model(api, file, tfcompress::Bytes::ReadFile(file), checked.num_threads), {}};
  });
}

void tfc_free_model(tfc_model* model) { delete model; }

tfc_status tfc_run_model(tfc_model* model, const char* signature, size_t num_inputs,
                         const tfc_array* inputs, tfc_arrays** outputs) {
  return Guarded([&] {
    Require(model != nullptr && signature != nullptr && outputs != nullptr &&
                (inputs != nullptr || num_inputs == 0),
            "`model`, `signature`, `inputs` and `outputs` must be given");
    litert::Model::Signature& runner = Find(model, signature);
    const litert::Buffers uploaded = Uploaded(model, &runner, num_inputs, inputs);
    auto owned = NewOutputs(model, runner);
    runner.Bind(uploaded, owned->buffers);
    runner.Run();
    *outputs = owned.release();
  });
}

void tfc_free_arrays(tfc_arrays* arrays) { delete static_cast<OwnedArrays*>(arrays); }
