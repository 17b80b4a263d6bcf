#include "tools/measuring.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "common/error.h"
#include "runtime/characters.h"
#include "tokenizer/utf8.h"
#include "tools/cpu.h"

namespace tfcompress {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void Fail(const std::string& cause, const std::string& received, const std::string& remedy) {
  throw Error(Error::Code::kInvalidArgument, cause, received, remedy);
}

std::vector<std::string> ReadTexts(const std::string& name, std::vector<size_t>* numbers) {
  std::ifstream file;
  if (name != "-") {
    file.open(name);
    if (!file) Fail("A file cannot be read", name, "Give a text file");
  }
  std::istream& stream = name == "-" ? std::cin : file;
  std::vector<std::string> texts;
  size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    if (++number == 1 && line.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0) {
      line.erase(0, kByteOrderMark.size());
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (FindInvalidUtf8(line) != line.npos) {
      Fail("A text must be UTF-8", "line " + std::to_string(number) + ", which is not",
           "Convert it");
    }
    if (IsBlank(std::string_view(line))) continue;
    texts.push_back(line);
    if (numbers != nullptr) numbers->push_back(number);
  }
  if (texts.empty()) Fail("There must be texts", "none", "Give at least one that is not blank");
  return texts;
}

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double Percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void WriteLatencies(JsonWriter* json, const char* name, const std::vector<double>& values) {
  json->BeginObject(name);
  json->Field("mean", Mean(values));
  json->Field("p50", Percentile(values, 0.5));
  json->Field("p90", Percentile(values, 0.9));
  json->Field("p99", Percentile(values, 0.99));
  json->End();
}

void WriteProfile(JsonWriter* json, const litert::Profile& profile) {
  json->BeginObject("operations");
  for (const auto& [signature, times] : profile) {
    using Entry = std::pair<std::string, litert::OperationTime>;
    std::vector<Entry> entries(times.begin(), times.end());
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.second.microseconds > b.second.microseconds;
    });
    int64_t total = 0;
    for (const Entry& entry : entries) total += entry.second.microseconds;
    json->BeginList(signature.c_str());
    for (const auto& [operation, time] : entries) {
      const auto microseconds = static_cast<double>(time.microseconds);
      json->BeginObject();
      json->Field("operation", operation);
      json->Field("calls", time.calls);
      json->Field("milliseconds", microseconds / 1000);
      json->Field("share", microseconds / static_cast<double>(total));
      json->End();
    }
    json->End();
  }
  json->End();
}

void WriteCpu(JsonWriter* json, const std::vector<double>& megahertz) {
  json->BeginObject("cpu");
  json->Field("name", CpuName());
  json->Field("features", CpuFeatures());
  json->Field("megahertz", megahertz);
  if (const auto celsius = HottestCelsius()) json->Field("celsius", *celsius);
  json->End();
}

}  // namespace tfcompress
