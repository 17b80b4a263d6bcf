#ifndef TFCOMPRESS_LITERT_MODEL_H_
#define TFCOMPRESS_LITERT_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/cancellation.h"
#include "litert/api.h"
#include "litert/profile.h"
#include "litert/verify.h"

namespace tfcompress::litert {

using Shape = std::vector<int32_t>;

// What a tensor must be like. Extents of -1 may be any.
struct Spec {
  int32_t type;
  Shape shape;
};
using Specs = std::map<std::string, Spec>;

// Memory of a tensor that LiteRT and we read and write.
class Buffer {
 public:
  Buffer() = default;

  float* floats() const { return static_cast<float*>(memory_); }
  int32_t* integers() const { return static_cast<int32_t*>(memory_); }
  size_t elements() const { return elements_; }
  Handle handle() const { return handle_.get(); }

 private:
  friend class Model;

  std::shared_ptr<void> handle_;
  void* memory_ = nullptr;
  size_t elements_ = 0;
};

// The buffers of a signature's inputs and outputs, by name.
using Buffers = std::map<std::string, Buffer>;

// A model, compiled for the CPU, whose signatures share one packed copy of the weights.
class Model {
 public:
  // Throws Error (kNotFound, kBadBundle, kRuntime). `name` is for messages. What operations take is
  // added to `profile`, unless it is null.
  Model(const Api& api, std::string name, const Bytes& bytes, int num_threads,
        Profile* profile = nullptr);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // A signature and what runs it: its shapes and the buffers bound to it.
  class Signature {
   public:
    // Throws Error (kBadBundle) unless these are the signature's inputs and outputs.
    void Expect(const Specs& inputs, const Specs& outputs) const;
    // Its inputs, as the model says; extents of -1 may be any.
    Specs inputs() const;
    // Its outputs for the shapes that the inputs have now.
    Specs CurrentOutputs() const;
    // Gives an input another shape.
    void Resize(const std::string& input, const Shape& shape);
    // Binds all inputs and outputs; they stay bound until the next call.
    void Bind(const Buffers& inputs, const Buffers& outputs);
    // Throws Error (kRuntime), and (kCancelled) where that is wanted.
    void Run();

   private:
    friend class Model;

    struct Tensor {
      std::string name;
      TensorType type;
    };

    std::vector<Layout> CurrentLayouts() const;

    const Model* model_ = nullptr;
    std::string name_;
    Index index_ = 0;
    std::vector<Tensor> inputs_;
    std::vector<Tensor> outputs_;
    std::map<std::string, Shape> shapes_;
    std::vector<Handle> bound_inputs_;
    std::vector<Handle> bound_outputs_;
  };

  // The signature of a name. Throws Error (kBadBundle) if there is none.
  Signature Find(const std::string& name) const;

  // A new buffer of zeros.
  Buffer NewBuffer(int32_t type, const Shape& shape) const;

  // What ends a run, with Error (kCancelled), and each one after it until it is reset.
  Cancellation& cancellation() { return *cancellation_; }

 private:
  const Api& api_;
  std::string name_;
  Bytes bytes_;
  Handle environment_;
  Profile* profile_;
  VerifiedModel verified_;
  std::shared_ptr<void> model_;
  // The compiled model keeps pointers into both, so that it must go first.
  std::shared_ptr<void> options_;
  // Behind a pointer, as LiteRT keeps one.
  std::unique_ptr<Cancellation> cancellation_ = std::make_unique<Cancellation>();
  std::shared_ptr<void> compiled_;
};

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_MODEL_H_
