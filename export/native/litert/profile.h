#ifndef TFCOMPRESS_LITERT_PROFILE_H_
#define TFCOMPRESS_LITERT_PROFILE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "litert/api.h"

namespace tfcompress::litert {

// How often an operation ran, and for how long in all.
struct OperationTime {
  int64_t calls = 0;
  int64_t microseconds = 0;
};

// By signature and operation.
using Profile = std::map<std::string, std::map<std::string, OperationTime>>;

// Lets a model that is compiled with these options be profiled. Throws Error (kUnsupported) if the
// library cannot.
void EnableProfiling(const Api& api, Handle options);

// Runs a compiled model and adds what its operations took.
void RunProfiled(const Api& api, Handle compiled, const std::function<void()>& run,
                 std::map<std::string, OperationTime>* times);

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_PROFILE_H_
