#include "litert/profile.h"

#include <vector>

#include "common/error.h"

namespace tfcompress::litert {
namespace {

constexpr char kRuntimeOptions[] = "runtime_options_string";
constexpr char kEnable[] = "enable_profiling = true\n";
// Kinds of events: an operation of LiteRT or of ours, and one of the CPU's delegate.
constexpr int32_t kOperation = 2;
constexpr int32_t kDelegateOperation = 8;

}  // namespace

void EnableProfiling(const Api& api, Handle options) {
#define TFC_REQUIRE(name, result, arguments)                                  \
  if (api.name == nullptr) {                                                  \
    throw Error(Error::Code::kUnsupported, "LiteRT's library cannot profile", \
                "one without LiteRt" #name, "Use the library of LiteRT 2.3"); \
  }
  TFC_LITERT_PROFILER_FUNCTIONS(TFC_REQUIRE)
#undef TFC_REQUIRE
  Handle opaque = nullptr;
  const auto keep = [](void*) {};
  Check(api.CreateOpaqueOptions(kRuntimeOptions, const_cast<char*>(kEnable), keep, &opaque),
        "LiteRT has no options of its runtime");
  Check(api.AddOpaqueOptions(options, opaque), "LiteRT has no options of its runtime");
}

void RunProfiled(const Api& api, Handle compiled, const std::function<void()>& run,
                 std::map<std::string, OperationTime>* times) {
  const auto check = [](Status status) { Check(status, "LiteRT cannot profile"); };
  Handle profiler = nullptr;
  check(api.CompiledModelGetProfiler(compiled, &profiler));
  check(api.ResetProfiler(profiler));
  check(api.StartProfiler(profiler));
  run();
  check(api.StopProfiler(profiler));
  int count = 0;
  check(api.GetNumProfilerEvents(profiler, &count));
  std::vector<ProfiledEvent> events(static_cast<size_t>(count));
  check(api.GetProfilerEvents(profiler, count, events.data()));
  for (const ProfiledEvent& event : events) {
    if (event.type != kOperation && event.type != kDelegateOperation) continue;
    OperationTime& time = (*times)[event.tag];
    ++time.calls;
    time.microseconds += static_cast<int64_t>(event.elapsed_us);
  }
}

}  // namespace tfcompress::litert
