#include "tools/encoder_benchmark.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "litert/api.h"
#include "litert/profile.h"
#include "runtime/encoder.h"
#include "tfcompress.h"
#include "tools/cpu.h"
#include "tools/json_writer.h"
#include "tools/measuring.h"

namespace tfcompress {
namespace {

using Clock = std::chrono::steady_clock;

// Lengths in tokens to time the model alone at, for so long and so often at least.
constexpr int32_t kLengths[] = {8, 32, 128};
constexpr double kSeconds = 0.5;
constexpr size_t kLeastRuns = 10;

// Milliseconds from the text to its results.
double Encode(Encoder* encoder, const std::string& text) {
  const auto begin = Clock::now();
  encoder->Run(encoder->Fitting(text, true));
  return 1000 * SecondsSince(begin);
}

// Writes the results of each text, all of them in the order of their names, one text a line.
void WriteResults(Encoder* encoder, const std::vector<std::string>& texts,
                  const std::string& path) {
  std::ofstream file(path);
  file.precision(std::numeric_limits<float>::max_digits10);
  for (const std::string& text : texts) {
    for (const auto& [name, rows] : encoder->Run(encoder->Fitting(text, true))) {
      for (const float value : rows.values) file << value << " ";
    }
    file << "\n";
  }
  if (!file.flush()) Fail(path + ": cannot be written");
}

// The median milliseconds of the model on some ids.
double Milliseconds(Encoder* encoder, int32_t length) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int32_t> id(0, encoder->bundle().vocabulary - 1);
  std::vector<int32_t> ids(static_cast<size_t>(length));
  std::generate(ids.begin(), ids.end(), [&] { return id(random); });
  encoder->Run(ids);
  std::vector<double> found;
  const auto first = Clock::now();
  while (found.size() < kLeastRuns || SecondsSince(first) < kSeconds) {
    const auto begin = Clock::now();
    encoder->Run(ids);
    found.push_back(1000 * SecondsSince(begin));
  }
  return Percentile(found, 0.5);
}

// What operations take in one more pass: in a model of its own, as profiling takes time and memory.
litert::Profile Profiled(const litert::Api& api, const FolderFiles& files, int32_t threads,
                         const std::vector<std::string>& texts) {
  litert::Profile profile;
  Encoder encoder(api, OpenEncoderBundle(files, false), threads, &profile);
  for (const std::string& text : texts) Encode(&encoder, text);
  profile.clear();  // Of the pass that warmed it up.
  for (const std::string& text : texts) Encode(&encoder, text);
  return profile;
}

}  // namespace

std::string BenchmarkEncoder(const Arguments& arguments) {
  if (arguments.beam != 1 || !arguments.translations.empty()) {
    Fail(arguments.bundle + ": is a text encoder, which has no --beam and no --translations");
  }
  const std::vector<std::string> texts = ReadTexts(arguments.input);
  const FolderFiles files(arguments.bundle);
  OpenEncoderBundle(files, true);  // Verified before the clock starts.
  const litert::Api& api = litert::Load(arguments.library);
  const auto begin = Clock::now();
  Encoder encoder(api, OpenEncoderBundle(files, false), arguments.threads);
  const double init_ms = 1000 * SecondsSince(begin);
  std::vector<double> megahertz;
  const auto note_megahertz = [&] {
    if (const std::optional<double> now = CpuMegahertz()) megahertz.push_back(*now);
  };
  note_megahertz();
  const double first_ms = Encode(&encoder, texts[0]);
  std::vector<double> latencies;
  std::vector<uint64_t> resident;
  for (int32_t pass = 0; pass < arguments.warmup + arguments.runs; ++pass) {
    for (const std::string& text : texts) {
      const double milliseconds = Encode(&encoder, text);
      if (pass >= arguments.warmup) latencies.push_back(milliseconds);
    }
    resident.push_back(ResidentBytes());
    note_megahertz();
  }
  if (!arguments.results.empty()) WriteResults(&encoder, texts, arguments.results);
  size_t tokens = 0;
  for (const std::string& text : texts) tokens += encoder.Fitting(text, true).size();
  std::map<int32_t, double> length_ms;
  for (const int32_t length : kLengths) {
    if (length <= encoder.bundle().max_length) length_ms[length] = Milliseconds(&encoder, length);
  }
  const uint64_t peak = PeakResidentBytes();
  const double total = Mean(latencies) * static_cast<double>(latencies.size());
  JsonWriter json;
  json.Field("bundle", arguments.bundle);
  json.Field("device", std::string("local"));
  json.Field("runtime", std::string("native " TFC_VERSION));
  json.Field("threads", arguments.threads);
  json.Field("texts", texts.size());
  json.Field("tokens", tokens);
  json.Field("init_ms", init_ms);
  json.Field("first_text_ms", first_ms);
  WriteLatencies(&json, "latency_ms", latencies);
  json.Field("tokens_per_s", 1000.0 * arguments.runs * static_cast<double>(tokens) / total);
  json.BeginObject("length_ms");
  for (const auto& [length, milliseconds] : length_ms) {
    json.Field(std::to_string(length).c_str(), milliseconds);
  }
  json.End();
  json.Field("peak_rss_bytes", peak);
  json.Field("rss_bytes_after_passes", resident);
  json.Field("bundle_bytes", encoder.bundle().size);
  WriteCpu(&json, megahertz);
  if (arguments.profile) {
    WriteProfile(&json, Profiled(api, files, arguments.threads, texts));
  }
  return json.Finish();
}

}  // namespace tfcompress
