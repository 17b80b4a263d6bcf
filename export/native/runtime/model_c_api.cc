#include <algorithm>
#include <atomic>
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
using tfcompress::RequirePointers;
namespace litert = tfcompress::litert;

struct tfc_model {
  litert::Model model;
  std::map<std::string, litert::Model::Signature> signatures = {};
  std::atomic<bool> is_busy{false};
};

namespace {

constexpr size_t kMaxRank = 8;
constexpr char kModel[] = "model.tflite";

// Arrays and what they point to.
struct OwnedArrays : tfc_arrays {
  std::vector<std::string> names;
  std::vector<litert::Shape> shapes;
  litert::Buffers buffers;
  std::vector<tfc_array> views;
  std::vector<const tfc_array*> pointers;
};

int32_t ElementType(int32_t type) {
  Require(type == TFC_ARRAY_FLOAT32 || type == TFC_ARRAY_INT32,
          "Arrays must be of float32 or int32", "type " + std::to_string(type), "Cast them");
  return type == TFC_ARRAY_FLOAT32 ? litert::kFloat32 : litert::kInt32;
}

litert::Shape ShapeOf(const tfc_array& array) {
  Require(array.name != nullptr && array.rank <= kMaxRank &&
              (array.rank == 0 || array.dims != nullptr) && array.data != nullptr,
          "An array needs a name, at most 8 extents, and data", "another", "Pass them");
  litert::Shape shape(array.dims, array.dims + array.rank);
  Require(std::all_of(shape.begin(), shape.end(), [](int32_t extent) { return extent > 0; }),
          "Extents must be at least 1", std::string("another of ") + array.name, "Give others");
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
  Require(num_inputs == specs.size(), "Each input of the signature needs an array",
          std::to_string(num_inputs) + " for " + std::to_string(specs.size()), "Give as many");
  litert::Buffers buffers;
  for (const tfc_array& input :
       tfcompress::TakenStructs(inputs, num_inputs, tfc_array{}, "tfc_array")) {
    const litert::Shape shape = ShapeOf(input);
    const auto spec = specs.find(input.name);
    Require(spec != specs.end(), "An array must have an input's name", input.name,
            "Give that of an input");
    Require(spec->second.type == ElementType(input.type), "An array must have its input's type",
            input.name, "Cast it");
    signature->Resize(input.name, shape);
    const litert::Buffer buffer = model->model.NewBuffer(spec->second.type, shape);
    std::memcpy(buffer.floats(), input.data, buffer.elements() * sizeof(float));
    buffers[input.name] = buffer;
  }
  return buffers;
}

std::unique_ptr<OwnedArrays> NewOutputs(const tfc_model* model,
                                        const litert::Model::Signature& signature) {
  auto owned = std::make_unique<OwnedArrays>();
  for (const auto& [name, spec] : signature.CurrentOutputs()) {
    Require(spec.type == litert::kFloat32 || spec.type == litert::kInt32,
            "Outputs must be of float32 or int32", name, "Cast it in the model");
    owned->names.push_back(name);
    owned->shapes.push_back(spec.shape);
    owned->buffers[name] = model->model.NewBuffer(spec.type, spec.shape);
    owned->views.push_back({sizeof(tfc_array), nullptr,
                            spec.type == litert::kFloat32 ? TFC_ARRAY_FLOAT32 : TFC_ARRAY_INT32,
                            spec.shape.size(), nullptr, nullptr});
  }
  for (size_t i = 0; i < owned->views.size(); ++i) {
    owned->views[i].name = owned->names[i].c_str();
    owned->views[i].dims = owned->shapes[i].data();
    owned->views[i].data = owned->buffers[owned->names[i]].floats();
  }
  owned->struct_size = sizeof(tfc_arrays);
  owned->num_arrays = owned->views.size();
  owned->pointers = tfcompress::PointersTo(owned->views);
  owned->arrays = owned->pointers.data();
  return owned;
}

void Open(const tfcompress::Files& files, const tfc_options* options, tfc_model** model) {
  const tfc_options checked = tfcompress::CheckedOptions(options);
  const litert::Api& api = tfcompress::LoadedApi(checked);
  *model = new tfc_model{
      litert::Model(api, files.Name(kModel), files.Open(kModel), checked.num_threads)};
}

}  // namespace

tfc_status tfc_open_model(const char* folder, const tfc_options* options, tfc_model** model) {
  return Guarded([&] {
    RequirePointers(folder != nullptr && model != nullptr, "`folder` and `model`");
    Open(tfcompress::FolderFiles(folder), options, model);
  });
}

tfc_status tfc_open_model_files(const tfc_file* files, size_t num_files, const tfc_options* options,
                                tfc_model** model) {
  return Guarded([&] {
    RequirePointers(files != nullptr && model != nullptr, "`files` and `model`");
    Open(tfcompress::Copies(files, num_files), options, model);
  });
}

void tfc_free_model(tfc_model* model) { delete model; }

void tfc_cancel_model(tfc_model* model) {
  if (model != nullptr) model->model.cancellation().Request();
}

tfc_status tfc_run_model(tfc_model* model, const char* signature, size_t num_inputs,
                         const tfc_array* inputs, tfc_arrays** outputs) {
  return Guarded([&] {
    RequirePointers(model != nullptr && signature != nullptr && outputs != nullptr &&
                        (inputs != nullptr || num_inputs == 0),
                    "`model`, `signature`, `inputs` and `outputs`");
    const tfcompress::Use use(&model->is_busy, &model->model.cancellation());
    litert::Model::Signature& runner = Find(model, signature);
    const litert::Buffers uploaded = Uploaded(model, &runner, num_inputs, inputs);
    auto owned = NewOutputs(model, runner);
    runner.Bind(uploaded, owned->buffers);
    runner.Run();
    *outputs = owned.release();
  });
}

void tfc_free_arrays(tfc_arrays* arrays) { delete static_cast<OwnedArrays*>(arrays); }
