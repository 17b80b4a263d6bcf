#include "common/log.h"

#include <memory>
#include <mutex>
#include <utility>

namespace tfcompress {
namespace {

struct Wanted {
  LogSink sink;
  Severity least;
};

std::mutex& Mutex() {
  static std::mutex mutex;
  return mutex;
}

std::shared_ptr<const Wanted>& Current() {
  static std::shared_ptr<const Wanted> wanted;
  return wanted;
}

// Shared, so that a sink is called without the lock.
std::shared_ptr<const Wanted> Taken() {
  const std::lock_guard<std::mutex> lock(Mutex());
  return Current();
}

}  // namespace

void SetLog(LogSink sink, Severity least) {
  auto wanted = sink ? std::make_shared<const Wanted>(Wanted{std::move(sink), least}) : nullptr;
  const std::lock_guard<std::mutex> lock(Mutex());
  Current() = std::move(wanted);
}

std::optional<Severity> LogSeverity() {
  const auto wanted = Taken();
  return wanted ? std::optional(wanted->least) : std::nullopt;
}

void Log(Severity severity, const std::string& message) {
  const auto wanted = Taken();
  if (wanted && severity >= wanted->least) wanted->sink(severity, message.c_str());
}

}  // namespace tfcompress
