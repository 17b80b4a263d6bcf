#include "litert/logging.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#include "common/error.h"

namespace tfcompress::litert {
namespace {

constexpr const char* kNames[] = {"verbose", "info", "warning", "error", "silent"};
constexpr int64_t kError = 3, kSilent = 4;

}  // namespace

int64_t Severity() {
  const char* const wanted = std::getenv("TFCOMPRESS_LITERT_LOG");
  if (wanted == nullptr || *wanted == '\0') return kError;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (std::strcmp(wanted, kNames[i]) == 0) return static_cast<int64_t>(i);
  }
  throw Error(Error::Code::kInvalidArgument,
              "TFCOMPRESS_LITERT_LOG is '" + std::string(wanted) +
                  "'; set it to verbose, info, warning, error or silent");
}

Silence::Silence() {
  static std::mutex mutex;
  if (Severity() != kSilent) return;
  lock_ = std::unique_lock(mutex);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  kept_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (kept_ >= 0) dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

Silence::~Silence() {
  if (kept_ < 0) return;
  dup2(kept_, STDERR_FILENO);
  close(kept_);
}

}  // namespace tfcompress::litert
