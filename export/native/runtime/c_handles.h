#ifndef TFCOMPRESS_RUNTIME_C_HANDLES_H_
#define TFCOMPRESS_RUNTIME_C_HANDLES_H_

#include <cstddef>
#include <string>

#include "common/last_error.h"
#include "litert/api.h"
#include "runtime/files.h"
#include "tfcompress.h"

namespace tfcompress {

// The options of the caller, or the default ones, checked.
inline tfc_options CheckedOptions(const tfc_options* user_options) {
  const tfc_options defaults = TFC_DEFAULT_OPTIONS;
  const tfc_options& options = user_options == nullptr ? defaults : *user_options;
  Require(options.struct_size == sizeof(options), "`struct_size` must be that of tfc_options",
          std::to_string(options.struct_size), "Begin with TFC_DEFAULT_OPTIONS");
  Require(options.num_threads >= 1 && options.num_threads <= 1024,
          "`num_threads` must be from 1 to 1024",
          "num_threads=" + std::to_string(options.num_threads), "Give another");
  return options;
}

// Checks a handle and the structure that describes it, which must be this version's.
template <typename Info>
void CheckInfo(const void* handle, const Info* info, const std::string& names) {
  RequirePointers(handle != nullptr && info != nullptr, names);
  Require(info->struct_size == sizeof(*info), "`struct_size` must be that of the structure",
          std::to_string(info->struct_size), "Set it to its size");
}

// LiteRT, from where the options say.
inline const litert::Api& LoadedApi(const tfc_options& options) {
  return litert::Load(options.library == nullptr ? "" : options.library);
}

// Copies of files in memory.
inline MemoryFiles Copies(const tfc_file* files, size_t num_files) {
  MemoryFiles memory;
  for (size_t i = 0; i < num_files; ++i) {
    Require(files[i].name != nullptr && (files[i].data != nullptr || files[i].size == 0),
            "A file needs a name and data", "a null pointer", "Pass them");
    memory.Add(files[i].name, Bytes::Copy(files[i].data, files[i].size));
  }
  return memory;
}

// Opens a bundle from `files` and makes the handle of its model: a `Handle` of what `open` returns.
template <typename Handle, typename Model, typename Open>
void OpenHandle(const Files& files, const tfc_options* user_options, Open open, Handle** handle) {
  const tfc_options options = CheckedOptions(user_options);
  const litert::Api& api = LoadedApi(options);
  *handle = new Handle{Model(api, open(files, options.verify != 0), options.num_threads)};
}

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_C_HANDLES_H_
