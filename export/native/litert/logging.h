#ifndef TFCOMPRESS_LITERT_LOGGING_H_
#define TFCOMPRESS_LITERT_LOGGING_H_

#include <mutex>

#include "common/log.h"

namespace tfcompress::litert {

// How much LiteRT is to log: what the application's log wants; without one, errors, unless the
// environment variable TFCOMPRESS_LITERT_LOG asks for more or less. Throws Error (kInvalidArgument)
// for what is no such wish.
Severity WantedSeverity();

// Leads the process's standard error, where LiteRT writes, to the application's log while it lives,
// or nowhere where nothing is to be logged; else it does nothing. LiteRT's library exports nothing
// that takes its messages, and the threshold of some of them is a constant of it.
class Diversion {
 public:
  Diversion();
  ~Diversion();
  Diversion(const Diversion&) = delete;
  Diversion& operator=(const Diversion&) = delete;

 private:
  std::unique_lock<std::mutex> lock_;
  int kept_ = -1;    // What standard error was,
  int source_ = -1;  // and where what was written to it is read.
};

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_LOGGING_H_
