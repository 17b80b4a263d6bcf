#include "kernels/levels.h"

#include <algorithm>
#include <cstdlib>

#include "common/error.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tfcompress::kernels {
namespace {

struct Entry {
  Level level;
  const char* name;
  bool (*available)();
  const Kernels* kernels;
};

#if defined(__x86_64__)
bool HasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

// What __builtin_cpu_supports has no name for in all compilers.
bool HasAvxVnni() {
  unsigned a, b, c, d;
  return HasAvx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1U << 4) != 0;
}

bool HasAvx512Vnni() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__)
bool HasNeonDot() {
  constexpr unsigned long kDotProducts = 1UL << 20;  // HWCAP_ASIMDDP
  return (getauxval(AT_HWCAP) & kDotProducts) != 0;
}

bool HasNeonI8mm() {
  constexpr unsigned long kMatrixProducts = 1UL << 13;  // HWCAP2_I8MM
  return HasNeonDot() && (getauxval(AT_HWCAP2) & kMatrixProducts) != 0;
}
#endif

constexpr Entry kEntries[] = {
    {Level::kPortable, "portable", [] { return true; }, &kPortableKernels},
#if defined(__x86_64__)
    {Level::kAvx2, "avx2", HasAvx2, &kAvx2Kernels},
    {Level::kAvxVnni, "avx_vnni", HasAvxVnni, &kAvxVnniKernels},
    {Level::kAvx512Vnni, "avx512_vnni", HasAvx512Vnni, &kAvx512VnniKernels},
#elif defined(__aarch64__)
    {Level::kNeonDot, "neon_dot", HasNeonDot, &kNeonDotKernels},
    {Level::kNeonI8mm, "neon_i8mm", HasNeonI8mm, &kNeonI8mmKernels},
#endif
};

const Entry& EntryOf(Level level) {
  for (const Entry& entry : kEntries) {
    if (entry.level == level) return entry;
  }
  throw Error(Error::Code::kInvalidArgument, "A level must be one of this build", "another",
              "Build the runtime again");
}

Level FindBest() {
  const char* name = std::getenv("TFCOMPRESS_LEVEL");
  return name == nullptr || *name == '\0' ? AvailableLevels().back() : FromName(name);
}

}  // namespace

const std::vector<Level>& AvailableLevels() {
  static const std::vector<Level> levels = [] {
    std::vector<Level> available;
    for (const Entry& entry : kEntries) {
      if (entry.available()) available.push_back(entry.level);
    }
    return available;
  }();
  return levels;
}

bool Available(Level level) {
  const std::vector<Level>& levels = AvailableLevels();
  return std::find(levels.begin(), levels.end(), level) != levels.end();
}

Level Best() {
  static const Level best = FindBest();
  return best;
}

const char* Name(Level level) { return EntryOf(level).name; }

Level FromName(const std::string& name) {
  std::string names;
  for (Level level : AvailableLevels()) {
    if (name == Name(level)) return level;
    names += (names.empty() ? "" : ", ") + std::string(Name(level));
  }
  throw Error(Error::Code::kInvalidArgument, "A level must be one of this processor's", name,
              "Give one of " + names);
}

const Kernels& For(Level level) { return *EntryOf(level).kernels; }

}  // namespace tfcompress::kernels
