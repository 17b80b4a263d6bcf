#include "litert/api.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>

#include "common/error.h"
#include "common/log.h"

namespace tfcompress::litert {
namespace {

constexpr char kDefault[] = "libLiteRt.so";
constexpr char kVariable[] = "TFCOMPRESS_LITERT";

std::string Resolve(const std::string& path) {
  if (!path.empty()) return path;
  const char* variable = std::getenv(kVariable);
  return variable == nullptr || *variable == '\0' ? kDefault : variable;
}

void* Open(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(Error::Code::kNotFound, "LiteRT's library cannot be loaded", dlerror(),
                std::string("Give its path, or set ") + kVariable + " to it");
  }
  return library;
}

// Whether a path is that of a library that is loaded, by whatever other name.
bool IsOf(void* library, const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle != nullptr) dlclose(handle);
  return handle == library;
}

Api FunctionsOf(void* library, const std::string& path) {
  Api api = {};
#define TFC_FIND(name, result, arguments) \
  api.name = reinterpret_cast<result(*) arguments>(dlsym(library, "LiteRt" #name));
#define TFC_REQUIRE(name, result, arguments)                                      \
  TFC_FIND(name, result, arguments)                                               \
  if (api.name == nullptr) {                                                      \
    throw Error(Error::Code::kUnsupported, "LiteRT's library lacks a function",   \
                path + " without LiteRt" #name, "Use the library of LiteRT 2.3"); \
  }
  TFC_LITERT_FUNCTIONS(TFC_REQUIRE)
  TFC_LITERT_CANCELLATION_FUNCTIONS(TFC_FIND)
  TFC_LITERT_PROFILER_FUNCTIONS(TFC_FIND)
#undef TFC_REQUIRE
#undef TFC_FIND
  return api;
}

}  // namespace

const Api& Load(const std::string& path) {
  static std::mutex mutex;
  static const Api* loaded = nullptr;
  static void* library = nullptr;
  static std::string loaded_path;
  const std::lock_guard<std::mutex> lock(mutex);
  if (loaded == nullptr) {
    loaded_path = Resolve(path);
    library = Open(loaded_path);
    loaded = new Api(FunctionsOf(library, loaded_path));
    Log(Severity::kInfo, "loaded " + loaded_path);
  } else if (!path.empty() && path != loaded_path && !IsOf(library, path)) {
    throw Error(Error::Code::kInvalidArgument, "A process has one LiteRT library only",
                path + " after " + loaded_path,
                "Give the same, or none, which takes the one that is loaded");
  }
  return *loaded;
}

void Check(Status status, const std::string& cause, const std::string& where) {
  if (status == 0) return;
  throw Error(Error::Code::kRuntime, cause,
              (where.empty() ? "" : where + ", ") + "LiteRT status " + std::to_string(status),
              "Export the bundle again");
}

}  // namespace tfcompress::litert
