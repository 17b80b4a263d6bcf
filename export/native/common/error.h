#ifndef TFCOMPRESS_COMMON_ERROR_H_
#define TFCOMPRESS_COMMON_ERROR_H_

#include <stdexcept>
#include <string>

namespace tfcompress {

// The remedy for a bundle that is not as it was written.
constexpr char kCopyAgain[] = "Export or copy the bundle again";

// What every function of the library throws: a message for people, a code for programs.
class Error : public std::runtime_error {
 public:
  // The numbers are those of `tfc_status`.
  enum class Code : int {
    kInvalidArgument = 1,
    kNotFound = 2,
    kBadBundle = 3,
    kUnsupported = 4,
    kRuntime = 5,
    kOutOfMemory = 6,
    kCancelled = 7,
    kBusy = 8,
  };

  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  // What is wrong, what was received, and how to correct it.
  Error(Code code, const std::string& cause, const std::string& received, const std::string& remedy)
      : Error(code, cause + ". Received: " + received + ". " + remedy + ".") {}

  Code code() const { return code_; }

 private:
  Code code_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_COMMON_ERROR_H_
