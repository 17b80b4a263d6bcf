#include "tools/bundle_benchmark.h"

#include <chrono>
#include <optional>

#include "tfcompress.h"
#include "tools/cpu.h"
#include "tools/measuring.h"

namespace tfcompress {

std::string BundleBenchmark::Run() {
  std::vector<size_t> lines;
  const std::vector<std::string> texts = ReadTexts(arguments_.input, &lines);
  const FolderFiles files(arguments_.bundle);
  const uint64_t size = Verify(files);  // Before the clock starts.
  const litert::Api& api = litert::Load(arguments_.library);
  const auto begin = std::chrono::steady_clock::now();
  Load(api, files, nullptr);
  const double init_ms = 1000 * SecondsSince(begin);
  std::vector<double> megahertz;
  const auto note_megahertz = [&] {
    if (const std::optional<double> now = CpuMegahertz()) megahertz.push_back(*now);
  };
  note_megahertz();
  const double first_ms = Milliseconds(texts[0], false);
  std::vector<double> latencies;
  std::vector<uint64_t> resident;
  for (int32_t pass = 0; pass < arguments_.warmup + arguments_.runs; ++pass) {
    const bool measured = pass >= arguments_.warmup;
    for (const std::string& text : texts) {
      const double milliseconds = Milliseconds(text, measured);
      if (measured) latencies.push_back(milliseconds);
    }
    resident.push_back(ResidentBytes());
    note_megahertz();
  }
  total_ms_ = Mean(latencies) * static_cast<double>(latencies.size());
  std::vector<uint64_t> overlong;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (Count(texts[i])) overlong.push_back(lines[i]);
  }
  Finish();
  const uint64_t peak = PeakResidentBytes();

  JsonWriter json;
  json.Field("bundle", arguments_.bundle);
  json.Field("device", std::string("local"));
  json.Field("runtime", std::string("native " TFC_VERSION));
  json.Field("threads", arguments_.threads);
  json.Field("texts", texts.size());
  json.Field("overlong", overlong);
  json.Field("init_ms", init_ms);
  json.Field("first_text_ms", first_ms);
  WriteLatencies(&json, "latency_ms", latencies);
  Report(&json);
  json.Field("peak_rss_bytes", peak);
  json.Field("rss_bytes_after_passes", resident);
  json.Field("bundle_bytes", size);
  WriteCpu(&json, megahertz);
  if (arguments_.profile) {
    // In a model of its own and after all else, as profiling takes time and memory too.
    litert::Profile profile;
    Load(api, files, &profile);
    for (const std::string& text : texts) Compute(text, false);
    profile.clear();  // Of the pass that warmed it up.
    for (const std::string& text : texts) Compute(text, false);
    WriteProfile(&json, profile);
  }
  return json.Finish();
}

double BundleBenchmark::Milliseconds(const std::string& text, bool measured) {
  const auto begin = std::chrono::steady_clock::now();
  Compute(text, measured);
  return 1000 * SecondsSince(begin);
}

}  // namespace tfcompress
