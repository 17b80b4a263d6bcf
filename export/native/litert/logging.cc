#include "litert/logging.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "common/error.h"

namespace tfcompress::litert {
namespace {

constexpr const char* kNames[] = {"verbose", "info", "warning", "error", "silent"};
// What LiteRT's lines begin with.
constexpr std::string_view kPrefixes[] = {"VERBOSE: ", "INFO: ", "WARNING: ", "ERROR: "};

void Close(int descriptor) {
  if (descriptor >= 0) close(descriptor);
}

// A pipe whose writer never waits: what does not fit is lost.
bool OpenPipe(int* source, int* target) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  for (int end : ends) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
  *source = ends[0];
  *target = ends[1];
  return true;
}

std::string ReadAll(int source) {
  std::string all;
  char part[4096];
  for (ssize_t count; (count = read(source, part, sizeof(part))) > 0;) {
    all.append(part, static_cast<size_t>(count));
  }
  return all;
}

void LogLine(const std::string& line) {
  if (line.empty()) return;
  for (size_t i = 0; i < std::size(kPrefixes); ++i) {
    if (line.compare(0, kPrefixes[i].size(), kPrefixes[i]) == 0) {
      Log(static_cast<Severity>(i), "LiteRT: " + line.substr(kPrefixes[i].size()));
      return;
    }
  }
  Log(Severity::kInfo, "LiteRT: " + line);
}

}  // namespace

Severity WantedSeverity() {
  if (const auto least = LogSeverity()) return *least;
  const char* const wanted = std::getenv("TFCOMPRESS_LITERT_LOG");
  if (wanted == nullptr || *wanted == '\0') return Severity::kError;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (std::strcmp(wanted, kNames[i]) == 0) return static_cast<Severity>(i);
  }
  throw Error(Error::Code::kInvalidArgument,
              "TFCOMPRESS_LITERT_LOG is '" + std::string(wanted) +
                  "'; set it to verbose, info, warning, error or silent");
}

Diversion::Diversion() {
  static std::mutex mutex;
  const bool is_logged = LogSeverity().has_value();
  if (!is_logged && WantedSeverity() != Severity::kSilent) return;
  lock_ = std::unique_lock(mutex);
  int target = -1;
  if (is_logged ? !OpenPipe(&source_, &target)
                : (target = open("/dev/null", O_WRONLY | O_CLOEXEC)) < 0) {
    return;
  }
  std::fflush(stderr);
  kept_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (kept_ >= 0) dup2(target, STDERR_FILENO);
  Close(target);
}

Diversion::~Diversion() {
  if (kept_ >= 0) {
    std::fflush(stderr);
    dup2(kept_, STDERR_FILENO);
    Close(kept_);
  }
  if (source_ < 0) return;
  const std::string written = ReadAll(source_);
  Close(source_);
  lock_.unlock();
  for (size_t begin = 0; begin < written.size();) {
    const size_t end = std::min(written.find('\n', begin), written.size());
    LogLine(written.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace tfcompress::litert
