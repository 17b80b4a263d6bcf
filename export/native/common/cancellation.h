#ifndef TFCOMPRESS_COMMON_CANCELLATION_H_
#define TFCOMPRESS_COMMON_CANCELLATION_H_

#include <atomic>

#include "common/error.h"

namespace tfcompress {

// Another thread's wish that a computation ends.
class Cancellation {
 public:
  void Request() { is_requested_.store(true, std::memory_order_relaxed); }
  void Reset() { is_requested_.store(false, std::memory_order_relaxed); }
  bool is_requested() const { return is_requested_.load(std::memory_order_relaxed); }

  // Throws Error (kCancelled) if it is requested.
  void Check() const {
    if (is_requested()) Throw();
  }
  [[noreturn]] static void Throw() {
    throw Error(Error::Code::kCancelled, "The application cancelled this.");
  }

 private:
  std::atomic<bool> is_requested_{false};
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_COMMON_CANCELLATION_H_
