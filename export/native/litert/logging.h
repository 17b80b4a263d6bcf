#ifndef TFCOMPRESS_LITERT_LOGGING_H_
#define TFCOMPRESS_LITERT_LOGGING_H_

#include <cstdint>
#include <mutex>

namespace tfcompress::litert {

// How much LiteRT logs: errors, unless the environment variable TFCOMPRESS_LITERT_LOG asks for more
// or less. Throws Error (kInvalidArgument) for what is no such wish.
int64_t Severity();

// Where nothing is to be logged, sends the process's standard error nowhere while it lives. The
// first delegate of a process is announced there by a part of LiteRT whose threshold its library
// holds as a constant, out of reach of every option.
class Silence {
 public:
  Silence();
  ~Silence();
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  std::unique_lock<std::mutex> lock_;
  int kept_ = -1;
};

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_LOGGING_H_
