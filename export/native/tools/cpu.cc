#include "tools/cpu.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace tfcompress {
namespace {

// What /proc/cpuinfo calls the features, on x86-64 and on arm64.
constexpr const char* kFeatures[] = {
    "avx2",    "fma",     "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "asimd",
    "asimdhp", "asimddp", "i8mm",    "bf16",        "sve",      "sve2",        "atomics"};

// The values of all lines of a file that begin with a name.
std::vector<std::string> Values(const char* path, const std::string& name) {
  std::vector<std::string> values;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, name.size(), name) != 0) continue;
    const size_t colon = line.find(':');
    const size_t begin = colon == line.npos ? colon : line.find_first_not_of(" \t", colon + 1);
    if (begin != line.npos) values.push_back(line.substr(begin));
  }
  return values;
}

std::optional<double> Number(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? std::optional<double>(value) : std::nullopt;
}

std::optional<double> Mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

uint64_t StatusBytes(const char* name) {
  const std::vector<std::string> values = Values("/proc/self/status", name);
  return values.empty() ? 0 : 1024 * std::strtoull(values[0].c_str(), nullptr, 10);
}

}  // namespace

std::string CpuName() {
  for (const char* name : {"model name", "Hardware"}) {
    const std::vector<std::string> values = Values("/proc/cpuinfo", name);
    if (!values.empty()) return values[0];
  }
  return "";
}

std::vector<std::string> CpuFeatures() {
  std::vector<std::string> all, known;
  for (const char* name : {"flags", "Features"}) {
    const std::vector<std::string> values = Values("/proc/cpuinfo", name);
    if (values.empty()) continue;
    std::istringstream words(values[0]);
    for (std::string word; words >> word;) all.push_back(word);
  }
  for (const char* feature : kFeatures) {
    if (std::find(all.begin(), all.end(), feature) != all.end()) known.emplace_back(feature);
  }
  return known;
}

std::optional<double> CpuMegahertz() {
  std::vector<double> values;
  for (int core = 0;; ++core) {
    const auto kilohertz =
        Number("/sys/devices/system/cpu/cpu" + std::to_string(core) + "/cpufreq/scaling_cur_freq");
    if (!kilohertz) break;
    values.push_back(*kilohertz / 1000);
  }
  if (values.empty()) {
    for (const std::string& value : Values("/proc/cpuinfo", "cpu MHz")) {
      values.push_back(std::strtod(value.c_str(), nullptr));
    }
  }
  return Mean(values);
}

std::optional<double> HottestCelsius() {
  std::optional<double> hottest;
  for (int zone = 0;; ++zone) {
    const auto value = Number("/sys/class/thermal/thermal_zone" + std::to_string(zone) + "/temp");
    if (!value) break;
    hottest = std::max(hottest.value_or(*value / 1000), *value / 1000);
  }
  return hottest;
}

uint64_t ResidentBytes() { return StatusBytes("VmRSS:"); }

uint64_t PeakResidentBytes() { return StatusBytes("VmHWM:"); }

}  // namespace tfcompress
