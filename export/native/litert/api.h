#ifndef TFCOMPRESS_LITERT_API_H_
#define TFCOMPRESS_LITERT_API_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace tfcompress::litert {

// What is used of LiteRT's C interface, which is stable across libraries. Those who ship LiteRT
// ship no headers.
extern "C" {

using Status = int;  // 0 is success.
using Handle = void*;
using Index = size_t;

struct Layout {
  uint32_t rank : 7;
  uint32_t has_strides : 1;
  int32_t dimensions[8];
  uint32_t strides[8];
};
static_assert(sizeof(Layout) == 68, "the layout of LiteRT's C interface");

struct TensorType {
  int32_t element_type;
  Layout layout;
};
static_assert(sizeof(TensorType) == 72, "the tensor type of LiteRT's C interface");

// An option of an environment that is an integer.
struct EnvironmentOption {
  int32_t tag;
  alignas(8) int32_t type;
  int64_t value;
};
static_assert(sizeof(EnvironmentOption) == 24, "an option of LiteRT's C interface");

// What computes a custom operation. LiteRT ignores the statuses.
struct CustomOpKernel {
  Status (*init)(void* user_data, const void* data, size_t size);
  Status (*get_output_layouts)(void* user_data, size_t num_inputs, const Layout* inputs,
                               size_t num_outputs, Layout* outputs);
  Status (*run)(void* user_data, size_t num_inputs, const Handle* inputs, size_t num_outputs,
                Handle* outputs);
  Status (*destroy)(void* user_data);
};

// What a profiler saw. Memory is in several units.
struct ProfiledEvent {
  const char* tag;
  int32_t type;
  uint64_t start_us;
  uint64_t elapsed_us;
  uint64_t memory_before[3];
  uint64_t memory_after[3];
  uint64_t metadata[2];
  int32_t source;
};
static_assert(sizeof(void*) != 8 || sizeof(ProfiledEvent) == 104,
              "the profiled event of LiteRT's C interface");
}

constexpr int32_t kFloat32 = 1;
constexpr int32_t kInt32 = 2;
constexpr int32_t kInt8 = 9;
constexpr int32_t kInt4 = 18;
constexpr int kHostMemory = 1;
constexpr int kCpu = 1;

// The functions of a loaded library. X(name without "LiteRt", type of the result, arguments).
#define TFC_LITERT_FUNCTIONS(X)                                                                    \
  X(CreateEnvironment, Status, (int count, const EnvironmentOption* options, Handle* environment)) \
  X(CreateModelFromBuffer, Status,                                                                 \
    (Handle environment, const void* data, size_t size, Handle* model))                            \
  X(DestroyModel, void, (Handle model))                                                            \
  X(GetNumModelSignatures, Status, (Handle model, Index * count))                                  \
  X(GetModelSignature, Status, (Handle model, Index index, Handle * signature))                    \
  X(GetSignatureKey, Status, (Handle signature, const char** key))                                 \
  X(GetNumSignatureInputs, Status, (Handle signature, Index * count))                              \
  X(GetSignatureInputName, Status, (Handle signature, Index index, const char** name))             \
  X(GetSignatureInputTensorByIndex, Status, (Handle signature, Index index, Handle * tensor))      \
  X(GetNumSignatureOutputs, Status, (Handle signature, Index * count))                             \
  X(GetSignatureOutputName, Status, (Handle signature, Index index, const char** name))            \
  X(GetSignatureOutputTensorByIndex, Status, (Handle signature, Index index, Handle * tensor))     \
  X(GetRankedTensorType, Status, (Handle tensor, TensorType * type))                               \
  X(CreateOptions, Status, (Handle * options))                                                     \
  X(DestroyOptions, void, (Handle options))                                                        \
  X(SetOptionsHardwareAccelerators, Status, (Handle options, int accelerators))                    \
  X(AddOpaqueOptions, Status, (Handle options, Handle opaque))                                     \
  X(CreateOpaqueOptions, Status,                                                                   \
    (const char* identifier, void* payload, void (*destroy)(void*), Handle* opaque))               \
  X(AddCustomOpKernelOption, Status,                                                               \
    (Handle options, const char* name, int version, const CustomOpKernel* kernel,                  \
     void* user_data))                                                                             \
  X(GetTensorBufferTensorType, Status, (Handle buffer, TensorType * type))                         \
  X(CreateCompiledModel, Status,                                                                   \
    (Handle environment, Handle model, Handle options, Handle * compiled))                         \
  X(DestroyCompiledModel, void, (Handle compiled))                                                 \
  X(CompiledModelResizeInputTensor, Status,                                                        \
    (Handle compiled, Index signature, Index input, const int* extents, size_t rank))              \
  X(GetCompiledModelOutputTensorLayouts, Status,                                                   \
    (Handle compiled, Index signature, size_t count, Layout* layouts, bool update))                \
  X(RunCompiledModel, Status,                                                                      \
    (Handle compiled, Index signature, size_t num_inputs, Handle* inputs, size_t num_outputs,      \
     Handle* outputs))                                                                             \
  X(CreateManagedTensorBuffer, Status,                                                             \
    (Handle environment, int buffer_type, const TensorType* type, size_t size, Handle* buffer))    \
  X(GetTensorBufferHostMemory, Status, (Handle buffer, void** memory))                             \
  X(DestroyTensorBuffer, void, (Handle buffer))

// Those that a library may lack, and then are null.
#define TFC_LITERT_CANCELLATION_FUNCTIONS(X)      \
  X(SetCompiledModelCancellationFunction, Status, \
    (Handle compiled, void* data, bool (*is_cancelled)(void* data)))
#define TFC_LITERT_PROFILER_FUNCTIONS(X)                                    \
  X(CompiledModelGetProfiler, Status, (Handle compiled, Handle * profiler)) \
  X(StartProfiler, Status, (Handle profiler))                               \
  X(StopProfiler, Status, (Handle profiler))                                \
  X(ResetProfiler, Status, (Handle profiler))                               \
  X(GetNumProfilerEvents, Status, (Handle profiler, int* count))            \
  X(GetProfilerEvents, Status, (Handle profiler, int count, ProfiledEvent* events))

struct Api {
#define TFC_DECLARE(name, result, arguments) result(*name) arguments;
  TFC_LITERT_FUNCTIONS(TFC_DECLARE)
  TFC_LITERT_CANCELLATION_FUNCTIONS(TFC_DECLARE)
  TFC_LITERT_PROFILER_FUNCTIONS(TFC_DECLARE)
#undef TFC_DECLARE
};

// Loads LiteRT's library, once for the process. Throws Error (kNotFound) where that is impossible.
// `path` may be empty: the library that is loaded, else that of the environment variable
// TFCOMPRESS_LITERT, else the system's search. Throws Error (kInvalidArgument) for another library
// than the one that is loaded.
const Api& Load(const std::string& path);

// Throws Error (kRuntime) unless the status is success.
void Check(Status status, const std::string& cause, const std::string& where = "");

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_API_H_
