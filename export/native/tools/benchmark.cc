// Measures a bundle on the device that it runs on, and prints the figures as JSON.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "common/error.h"
#include "litert/api.h"
#include "litert/profile.h"
#include "runtime/bundle.h"
#include "runtime/translator.h"
#include "tfcompress.h"
#include "tokenizer/utf8.h"
#include "tools/cpu.h"
#include "tools/json_writer.h"

namespace tfcompress {
namespace {

constexpr int kBadInput = 2;
constexpr char kUsage[] =
    "usage: tfcompress-benchmark BUNDLE [--input FILE] [--threads N] [--beam N] [--warmup N]\n"
    "                            [--runs N] [--output FILE] [--library FILE] [--translations "
    "FILE]\n"
    "                            [--profile]\n"
    "\n"
    "Translates the sentences of a file, one a line ('-', the default: standard input), and\n"
    "prints latency, throughput, memory and where the time goes as JSON.\n"
    "\n"
    "  --threads N        threads of LiteRT for one sentence (default 1)\n"
    "  --beam N           hypotheses that the search keeps; 1 is greedy search (default 1)\n"
    "  --warmup N         passes over the sentences that are not measured (default 2)\n"
    "  --runs N           passes that are measured (default 3)\n"
    "  --output FILE      where the figures go too\n"
    "  --translations FILE  where the translations go, one a line\n"
    "  --profile          measure each operation too, in one more pass\n"
    "  --library FILE     LiteRT's library (default: TFCOMPRESS_LITERT, else libLiteRt.so)\n";

struct Arguments {
  std::string bundle;
  std::string input = "-";
  std::string output;
  std::string translations;
  std::string library;
  int32_t threads = 1;
  int32_t beam = 1;
  int32_t warmup = 2;
  int32_t runs = 3;
  bool profile = false;
};

[[noreturn]] void Fail(const std::string& message) {
  throw Error(Error::Code::kInvalidArgument, message);
}

int32_t Number(const std::string& option, const std::string& text, int32_t least) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < least || value > 1000000) {
    Fail(option + " must be a whole number of at least " + std::to_string(least) + " (received '" +
         text + "')");
  }
  return static_cast<int32_t>(value);
}

Arguments Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.compare(0, 2, "--") != 0) {
      if (!arguments.bundle.empty()) Fail("one bundle only (received '" + word + "' too)");
      arguments.bundle = word;
      continue;
    }
    if (word == "--profile") {
      arguments.profile = true;
      continue;
    }
    if (i + 1 == words.size()) Fail(word + " needs a value; see --help");
    const std::string& value = words[++i];
    if (word == "--input") {
      arguments.input = value;
    } else if (word == "--output") {
      arguments.output = value;
    } else if (word == "--translations") {
      arguments.translations = value;
    } else if (word == "--library") {
      arguments.library = value;
    } else if (word == "--threads") {
      arguments.threads = Number(word, value, 1);
    } else if (word == "--beam") {
      arguments.beam = Number(word, value, 1);
    } else if (word == "--warmup") {
      arguments.warmup = Number(word, value, 0);
    } else if (word == "--runs") {
      arguments.runs = Number(word, value, 1);
    } else {
      Fail("unknown option '" + word + "'; see --help");
    }
  }
  if (arguments.bundle.empty()) Fail("no bundle; see --help");
  return arguments;
}

std::vector<std::string> ReadSentences(const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name);
    if (!file) Fail(name + ": cannot be read; give a text file");
  }
  std::istream& stream = name == "-" ? std::cin : file;
  std::vector<std::string> sentences;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (FindInvalidUtf8(line) != line.npos) {
      Fail("line " + std::to_string(sentences.size() + 1) + " of the input is not UTF-8");
    }
    if (line.find_first_not_of(" \t") != line.npos) sentences.push_back(line);
  }
  if (sentences.empty()) Fail("no sentences to translate; give at least one that is not blank");
  return sentences;
}

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The value below which a share of the values lies, between the two nearest.
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

// What the measured passes gave.
struct Measured {
  std::vector<double> latencies;  // Milliseconds of each sentence.
  std::vector<double> first_tokens;
  double encode_seconds = 0;
  double step_seconds = 0;
  int64_t steps = 0;
  std::vector<uint64_t> resident;  // Bytes after each pass.
  uint64_t peak = 0;               // Bytes.
  std::vector<double> megahertz;
};

void WriteLatencies(JsonWriter* json, const char* name, const std::vector<double>& values) {
  json->BeginObject(name);
  json->Field("mean", Mean(values));
  json->Field("p50", Percentile(values, 0.5));
  json->Field("p90", Percentile(values, 0.9));
  json->Field("p99", Percentile(values, 0.99));
  json->End();
}

// The operations of each signature, those that take longest first.
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

class Benchmark {
 public:
  explicit Benchmark(Arguments arguments) : arguments_(std::move(arguments)) {}

  std::string Run() {
    sentences_ = ReadSentences(arguments_.input);
    const FolderFiles files(arguments_.bundle);
    OpenBundle(files, true);  // Verified before the clock starts.
    const litert::Api& api = litert::Load(arguments_.library);
    const auto begin = std::chrono::steady_clock::now();
    Translator translator(api, OpenBundle(files, false), arguments_.threads);
    init_ms_ = 1000 * SecondsSince(begin);
    const std::optional<double> cold = CpuMegahertz();
    first_ms_ = Translate(&translator, sentences_[0], nullptr);
    Measured measured;
    if (cold) measured.megahertz.push_back(*cold);
    for (int32_t pass = 0; pass < arguments_.warmup + arguments_.runs; ++pass) {
      for (const std::string& sentence : sentences_) {
        Translate(&translator, sentence, pass < arguments_.warmup ? nullptr : &measured);
      }
      measured.resident.push_back(ResidentBytes());
      if (const auto megahertz = CpuMegahertz()) measured.megahertz.push_back(*megahertz);
    }
    CountTokens(&translator);
    measured.peak = PeakResidentBytes();
    if (arguments_.profile) Profile(api, files);
    return Report(translator, measured);
  }

 private:
  SearchOptions Options() const {
    SearchOptions options;
    options.beam_size = arguments_.beam;
    return options;
  }

  double Translate(Translator* translator, const std::string& sentence, Measured* measured) const {
    const auto begin = std::chrono::steady_clock::now();
    translator->Translate(sentence, Options());
    const double seconds = SecondsSince(begin);
    if (measured != nullptr) {
      const Timings& timings = translator->timings();
      measured->latencies.push_back(1000 * seconds);
      // All but the other steps comes before the first token.
      measured->first_tokens.push_back(1000 *
                                       (timings.encode_seconds + timings.first_step_seconds));
      measured->encode_seconds += timings.encode_seconds;
      measured->step_seconds += timings.step_seconds;
      measured->steps += timings.steps;
    }
    return 1000 * seconds;
  }

  void CountTokens(Translator* translator) {
    std::ofstream file;
    if (!arguments_.translations.empty()) {
      file.open(arguments_.translations);
      if (!file) Fail(arguments_.translations + ": cannot be written");
    }
    for (const std::string& sentence : sentences_) {
      source_tokens_ += translator->Tokenize(sentence).size();
      const std::vector<Translation> found = translator->Translate(sentence, Options());
      target_tokens_ += found[0].hypothesis.ids.size();
      if (file.is_open()) file << found[0].text.value_or("") << "\n";
    }
  }

  // In a model of its own and after all else, as profiling takes time and memory too.
  void Profile(const litert::Api& api, const FolderFiles& files) {
    Translator translator(api, OpenBundle(files, false), arguments_.threads, &profile_);
    for (const std::string& sentence : sentences_) Translate(&translator, sentence, nullptr);
    profile_.clear();  // Of the pass that warmed it up.
    for (const std::string& sentence : sentences_) Translate(&translator, sentence, nullptr);
  }

  std::string Report(const Translator& translator, const Measured& measured) const {
    const double total = Mean(measured.latencies) * static_cast<double>(measured.latencies.size());
    JsonWriter json;
    json.Field("bundle", arguments_.bundle);
    json.Field("device", std::string("local"));
    json.Field("runtime", std::string("native " TFC_VERSION));
    json.Field("threads", arguments_.threads);
    json.Field("beam_size", arguments_.beam);
    json.Field("sentences", sentences_.size());
    json.Field("source_tokens", source_tokens_);
    json.Field("target_tokens", target_tokens_);
    json.Field("init_ms", init_ms_);
    json.Field("first_sentence_ms", first_ms_);
    WriteLatencies(&json, "latency_ms", measured.latencies);
    WriteLatencies(&json, "first_token_ms", measured.first_tokens);
    json.Field("target_tokens_per_s",
               1000.0 * arguments_.runs * static_cast<double>(target_tokens_) / total);
    json.BeginObject("signatures_ms");
    json.Field("encode", 1000 * measured.encode_seconds);
    json.Field("step", 1000 * measured.step_seconds);
    json.Field("search_and_tokenizer",
               total - 1000 * (measured.encode_seconds + measured.step_seconds));
    json.End();
    json.Field("steps", measured.steps);
    json.Field("step_us", 1e6 * measured.step_seconds / static_cast<double>(measured.steps));
    json.Field("peak_rss_bytes", measured.peak);
    json.Field("rss_bytes_after_passes", measured.resident);
    json.Field("bundle_bytes", translator.bundle().size);
    json.BeginObject("cpu");
    json.Field("name", CpuName());
    json.Field("features", CpuFeatures());
    json.Field("megahertz", measured.megahertz);
    if (const auto celsius = HottestCelsius()) json.Field("celsius", *celsius);
    json.End();
    if (arguments_.profile) WriteProfile(&json, profile_);
    return json.Finish();
  }

  const Arguments arguments_;
  std::vector<std::string> sentences_;
  double init_ms_ = 0;
  double first_ms_ = 0;
  size_t source_tokens_ = 0;
  size_t target_tokens_ = 0;
  litert::Profile profile_;
};

int Main(const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  try {
    const Arguments arguments = Parse(words);
    const std::string report = Benchmark(arguments).Run();
    if (!arguments.output.empty()) {
      std::ofstream file(arguments.output);
      if (!(file << report << "\n" << std::flush)) Fail(arguments.output + ": cannot be written");
    }
    std::puts(report.c_str());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
  }
  return kBadInput;
}

}  // namespace
}  // namespace tfcompress

int main(int count, char** words) {
  const int code = tfcompress::Main({words + 1, words + count});
  std::fflush(nullptr);
  // LiteRT logs the end of its environment if the process ends in the ordinary way.
  _exit(code);
}
