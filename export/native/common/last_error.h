#ifndef TFCOMPRESS_COMMON_LAST_ERROR_H_
#define TFCOMPRESS_COMMON_LAST_ERROR_H_

#include <new>
#include <string>

#include "common/error.h"
#include "include/tfcompress.h"

namespace tfcompress {

// The message that `tfc_last_error` gives this thread.
std::string& LastError();

// Runs what may throw, and gives the code of what it threw.
template <typename Action>
tfc_status Guarded(Action action) noexcept {
  try {
    LastError().clear();
    action();
    return TFC_OK;
  } catch (const Error& error) {
    LastError() = error.what();
    return static_cast<tfc_status>(error.code());
  } catch (const std::bad_alloc&) {
    LastError() = "There is not enough memory.";
    return TFC_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    LastError() = error.what();
    return TFC_RUNTIME;
  }
}

// Throws Error (kInvalidArgument) unless it holds.
inline void Require(bool holds, const char* cause, const std::string& received,
                    const char* remedy) {
  if (!holds) throw Error(Error::Code::kInvalidArgument, cause, received, remedy);
}

// The same for pointers that must not be null; `names` are theirs.
inline void RequirePointers(bool hold, const std::string& names) {
  Require(hold, (names + " must not be null").c_str(), "a null pointer", "Pass them");
}

}  // namespace tfcompress

#endif  // TFCOMPRESS_COMMON_LAST_ERROR_H_
