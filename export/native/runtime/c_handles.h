#ifndef TFCOMPRESS_RUNTIME_C_HANDLES_H_
#define TFCOMPRESS_RUNTIME_C_HANDLES_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/cancellation.h"
#include "common/last_error.h"
#include "litert/api.h"
#include "runtime/c_structs.h"
#include "runtime/files.h"
#include "runtime/progress.h"
#include "tfcompress.h"

namespace tfcompress {

// The options of the caller, or the default ones, checked.
inline tfc_options CheckedOptions(const tfc_options* user_options) {
  const tfc_options options =
      TakenStruct(user_options, tfc_options TFC_DEFAULT_OPTIONS, "tfc_options");
  Require(options.num_threads >= 1 && options.num_threads <= 1024,
          "`num_threads` must be from 1 to 1024",
          "num_threads=" + std::to_string(options.num_threads), "Give another");
  return options;
}

// Takes a handle for one call. Throws Error (kBusy) where another call has it, and then leaves it
// as it is.
class Use {
 public:
  Use(std::atomic<bool>* is_busy, Cancellation* cancellation) : is_busy_(is_busy) {
    if (is_busy->exchange(true, std::memory_order_acquire)) {
      throw Error(Error::Code::kBusy, "One call at a time can compute with a handle",
                  "another that is not at its end", "Wait for it, or open the bundle once more");
    }
    cancellation->Reset();
  }
  ~Use() { is_busy_->store(false, std::memory_order_release); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  std::atomic<bool>* is_busy_;
};

// Lets models tell of their steps during one call, if the application wants that.
template <typename Model>
class Following {
 public:
  Following(std::vector<Model*> models, tfc_progress_callback callback, void* user_data)
      : models_(std::move(models)),
        progress_([this, callback, user_data](const Progress& progress) {
          const tfc_progress told = {sizeof(told),          user_data,
                                     progress.tokens(),     progress.parts(),
                                     progress.parts_done(), progress.text()};
          // Another thread may have cancelled while it was told.
          return callback(&told) == 0 &&
                 std::none_of(models_.begin(), models_.end(),
                              [](Model* model) { return model->cancellation().is_requested(); });
        }) {
    if (callback == nullptr) models_.clear();
    for (Model* model : models_) model->Follow(&progress_);
  }
  ~Following() {
    for (Model* model : models_) model->Follow(nullptr);
  }
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

 private:
  std::vector<Model*> models_;
  Progress progress_;
};

// LiteRT, from where the options say.
inline const litert::Api& LoadedApi(const tfc_options& options) {
  return litert::Load(options.library == nullptr ? "" : options.library);
}

// Copies of files that are in memory or open.
inline MemoryFiles Copies(const tfc_file* files, size_t num_files) {
  MemoryFiles memory;
  for (const tfc_file& file :
       TakenStructs(files, num_files, tfc_file TFC_DEFAULT_FILE, "tfc_file")) {
    Require(
        file.name != nullptr && (file.data != nullptr || file.descriptor >= 0 || file.size == 0),
        "A file needs a name, and data or a descriptor", "neither", "Pass them");
    memory.Add(file.name,
               file.data != nullptr || file.size == 0
                   ? Bytes::Copy(file.data, file.size)
                   : Bytes::ReadSection(file.descriptor, file.offset, file.size, file.name));
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
