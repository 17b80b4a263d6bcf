#include "litert/model.h"

#include <cstring>
#include <iterator>
#include <mutex>

#include "common/error.h"
#include "litert/custom_ops.h"
#include "litert/logging.h"

namespace tfcompress::litert {
namespace {

constexpr char kCpuOptions[] = "xnnpack";
// In memory, so that all products by a matrix share one packed copy. It keeps room for the largest
// matrix beside them, so that without such products memory is saved by doing without.
#if defined(__linux__)
constexpr char kWeightCache[] = "weight_cache_file_path = \":memory:\"\n";
#else
constexpr char kWeightCache[] = "";
#endif
// Kernels read some bytes beyond the end.
constexpr size_t kMargin = 128;

// One for the process, as LiteRT's accelerators belong to it.
Handle Environment(const Api& api) {
  // Tags of options, and the type of integers.
  constexpr int32_t kAccelerators = 24, kSeverity = 25, kInteger = 2;
  static std::mutex mutex;
  static Handle environment = nullptr;
  const std::lock_guard<std::mutex> lock(mutex);
  if (environment == nullptr) {
    const EnvironmentOption options[] = {
        {kAccelerators, kInteger, kCpu},
        {kSeverity, kInteger, static_cast<int64_t>(WantedSeverity())}};
    const Diversion diversion;
    Check(api.CreateEnvironment(std::size(options), options, &environment),
          "LiteRT cannot be set up");
  }
  return environment;
}

bool Fits(const TensorType& type, const Spec& spec) {
  if (type.element_type != spec.type || type.layout.rank != spec.shape.size()) return false;
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    const int32_t extent = type.layout.dimensions[i];
    if (spec.shape[i] >= 0 && extent >= 0 && extent != spec.shape[i]) return false;
  }
  return true;
}

Spec AsSpec(const TensorType& type) {
  const int32_t* extents = type.layout.dimensions;
  return {type.element_type, Shape(extents, extents + type.layout.rank)};
}

char* NewText(const std::string& text) {
  auto* copy = new char[text.size() + 1];
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

Handle NewOptions(const Api& api, int num_threads, bool shares_weights) {
  Handle options = nullptr;
  Check(api.CreateOptions(&options), "LiteRT has no options");
  Check(api.SetOptionsHardwareAccelerators(options, kCpu), "LiteRT has no CPU");
  Handle opaque = nullptr;
  const auto destroy = [](void* text) { delete[] static_cast<char*>(text); };
  const std::string text =
      "num_threads = " + std::to_string(num_threads) + "\n" + (shares_weights ? kWeightCache : "");
  Check(api.CreateOpaqueOptions(kCpuOptions, NewText(text), destroy, &opaque),
        "LiteRT has no options of the CPU");
  Check(api.AddOpaqueOptions(options, opaque), "LiteRT has no options of the CPU");
  AddCustomOps(api, options);
  return options;
}

}  // namespace

Model::Model(const Api& api, std::string name, const Bytes& bytes, int num_threads,
             Profile* profile)
    : api_(api),
      name_(std::move(name)),
      bytes_(bytes),
      environment_(Environment(api)),
      profile_(profile),
      verified_(name_, bytes_) {
  const auto check = [this](Status status) {
    Check(status, "LiteRT cannot load the model", name_);
  };
  Handle handle = nullptr;
  const auto load = [&] {
    const Diversion diversion;
    check(api.CreateModelFromBuffer(environment_, bytes.data(), bytes.size(), &handle));
    model_ = std::shared_ptr<void>(handle, api.DestroyModel);
    options_ = std::shared_ptr<void>(NewOptions(api, num_threads, verified_.shares_weights()),
                                     api.DestroyOptions);
    if (profile_ != nullptr) EnableProfiling(api, options_.get());
    handle = nullptr;
    return api.CreateCompiledModel(environment_, model_.get(), options_.get(), &handle);
  };
  const Status status = load();
  ThrowCustomOpError();
  check(status);
  compiled_ = std::shared_ptr<void>(handle, api.DestroyCompiledModel);
  if (api.SetCompiledModelCancellationFunction != nullptr) {
    const auto is_cancelled = [](void* cancellation) {
      return static_cast<const Cancellation*>(cancellation)->is_requested();
    };
    check(api.SetCompiledModelCancellationFunction(handle, cancellation_.get(), is_cancelled));
  }
  Log(tfcompress::Severity::kInfo,
      "opened " + name_ + " (" + std::to_string(bytes.size()) + " bytes)");
}

Model::Signature Model::Find(const std::string& name) const {
  const auto check = [this](Status status) {
    Check(status, "LiteRT cannot read the model", name_);
  };
  Index count = 0;
  check(api_.GetNumModelSignatures(model_.get(), &count));
  for (Index i = 0; i < count; ++i) {
    Handle handle = nullptr;
    const char* key = nullptr;
    check(api_.GetModelSignature(model_.get(), i, &handle));
    check(api_.GetSignatureKey(handle, &key));
    if (name != key) continue;
    Signature signature;
    signature.model_ = this;
    signature.name_ = name;
    signature.index_ = i;
    const auto read = [&](auto get_count, auto get_name, auto get_tensor,
                          std::vector<Signature::Tensor>* tensors) {
      Index number = 0;
      check(get_count(handle, &number));
      for (Index j = 0; j < number; ++j) {
        const char* text = nullptr;
        Handle tensor = nullptr;
        TensorType type = {};
        check(get_name(handle, j, &text));
        check(get_tensor(handle, j, &tensor));
        check(api_.GetRankedTensorType(tensor, &type));
        tensors->push_back({text, type});
      }
    };
    read(api_.GetNumSignatureInputs, api_.GetSignatureInputName,
         api_.GetSignatureInputTensorByIndex, &signature.inputs_);
    read(api_.GetNumSignatureOutputs, api_.GetSignatureOutputName,
         api_.GetSignatureOutputTensorByIndex, &signature.outputs_);
    return signature;
  }
  throw Error(Error::Code::kBadBundle, "The model lacks a signature",
              name_ + " without '" + name + "'", kCopyAgain);
}

Buffer Model::NewBuffer(int32_t type, const Shape& shape) const {
  TensorType tensor_type = {};
  tensor_type.element_type = type;
  tensor_type.layout.rank = static_cast<uint32_t>(shape.size()) & 7;
  Buffer buffer;
  buffer.elements_ = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    tensor_type.layout.dimensions[i] = shape[i];
    buffer.elements_ *= static_cast<size_t>(shape[i]);
  }
  const size_t size = buffer.elements_ * sizeof(float);
  Handle handle = nullptr;
  Check(api_.CreateManagedTensorBuffer(environment_, kHostMemory, &tensor_type, size + kMargin,
                                       &handle),
        "There is not enough memory", name_ + ", " + std::to_string(size) + " bytes");
  buffer.handle_ = std::shared_ptr<void>(handle, api_.DestroyTensorBuffer);
  Check(api_.GetTensorBufferHostMemory(handle, &buffer.memory_),
        "LiteRT's memory must be the CPU's", name_);
  std::memset(buffer.memory_, 0, size);
  return buffer;
}

void Model::Signature::Expect(const Specs& inputs, const Specs& outputs) const {
  const auto fail = [this](const std::string& what) {
    throw Error(Error::Code::kBadBundle, "The model is unlike its manifest",
                model_->name_ + ", whose signature '" + name_ + "' " + what, kCopyAgain);
  };
  const auto check = [&fail](const std::vector<Tensor>& tensors, Specs specs) {
    if (tensors.size() != specs.size()) {
      fail("has " + std::to_string(tensors.size()) + " tensors, not " +
           std::to_string(specs.size()));
    }
    for (const Tensor& tensor : tensors) {
      const auto spec = specs.find(tensor.name);
      if (spec == specs.end()) fail("has a tensor '" + tensor.name + "'");
      if (!Fits(tensor.type, spec->second)) fail("has another shape of '" + tensor.name + "'");
      specs.erase(spec);  // No two tensors may have one name.
    }
  };
  check(inputs_, inputs);
  check(outputs_, outputs);
}

void Model::Signature::Resize(const std::string& input, const Shape& shape) {
  Shape& known = shapes_[input];
  if (known == shape) return;
  Index index = 0;
  while (inputs_[index].name != input) ++index;
  Check(model_->api_.CompiledModelResizeInputTensor(model_->compiled_.get(), index_, index,
                                                    shape.data(), shape.size()),
        "An input has a fixed shape", model_->name_ + ", '" + input + "' of '" + name_ + "'");
  known = shape;
}

void Model::Signature::Bind(const Buffers& inputs, const Buffers& outputs) {
  bound_inputs_.clear();
  bound_outputs_.clear();
  for (const Tensor& tensor : inputs_) bound_inputs_.push_back(inputs.at(tensor.name).handle());
  for (const Tensor& tensor : outputs_) bound_outputs_.push_back(outputs.at(tensor.name).handle());
  const std::vector<Layout> layouts = CurrentLayouts();
  for (size_t i = 0; i < layouts.size(); ++i) {
    size_t elements = 1;
    for (uint32_t axis = 0; axis < layouts[i].rank; ++axis) {
      elements *= static_cast<size_t>(layouts[i].dimensions[axis]);
    }
    // A model that gives more than its manifest says would write beyond the buffer.
    if (elements != outputs.at(outputs_[i].name).elements()) {
      throw Error(Error::Code::kBadBundle, "The model is unlike its manifest",
                  model_->name_ + ", whose signature '" + name_ + "' gives another size of '" +
                      outputs_[i].name + "'",
                  kCopyAgain);
    }
  }
}

std::vector<Layout> Model::Signature::CurrentLayouts() const {
  model_->verified_.Check(name_, shapes_);
  std::vector<Layout> layouts(outputs_.size());
  Check(model_->api_.GetCompiledModelOutputTensorLayouts(model_->compiled_.get(), index_,
                                                         layouts.size(), layouts.data(), true),
        "A signature cannot run on these shapes", model_->name_ + ", '" + name_ + "'");
  ThrowCustomOpError();
  return layouts;
}

Specs Model::Signature::inputs() const {
  Specs specs;
  for (const Tensor& tensor : inputs_) specs[tensor.name] = AsSpec(tensor.type);
  return specs;
}

Specs Model::Signature::CurrentOutputs() const {
  const std::vector<Layout> layouts = CurrentLayouts();
  Specs specs;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    specs[outputs_[i].name] = AsSpec({outputs_[i].type.element_type, layouts[i]});
  }
  return specs;
}

void Model::Signature::Run() {
  const Handle compiled = model_->compiled_.get();
  model_->cancellation_->Check();
  const auto run = [&] {
    const Status status =
        model_->api_.RunCompiledModel(compiled, index_, bound_inputs_.size(), bound_inputs_.data(),
                                      bound_outputs_.size(), bound_outputs_.data());
    // That of a run that was cancelled too is an error.
    if (status != 0) model_->cancellation_->Check();
    Check(status, "LiteRT cannot run the model", model_->name_ + ", signature '" + name_ + "'");
    ThrowCustomOpError();
  };
  if (model_->profile_ == nullptr) {
    run();
  } else {
    RunProfiled(model_->api_, compiled, run, &(*model_->profile_)[name_]);
  }
}

}  // namespace tfcompress::litert
