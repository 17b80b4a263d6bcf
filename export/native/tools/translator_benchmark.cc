#include "tools/translator_benchmark.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <vector>

#include "litert/api.h"
#include "litert/profile.h"
#include "runtime/bundle.h"
#include "runtime/translator.h"
#include "tfcompress.h"
#include "tools/cpu.h"
#include "tools/json_writer.h"
#include "tools/measuring.h"

namespace tfcompress {
namespace {

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

class Benchmark {
 public:
  explicit Benchmark(Arguments arguments) : arguments_(std::move(arguments)) {}

  std::string Run() {
    if (!arguments_.results.empty()) Fail("--results is for text encoders; use --translations");
    sentences_ = ReadTexts(arguments_.input, &lines_);
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
    for (size_t i = 0; i < sentences_.size(); ++i) {
      source_tokens_ += translator->Tokenize(sentences_[i]).size();
      const Translations found = translator->Translate(sentences_[i], Options());
      target_tokens_ += found.best[0].hypothesis.ids.size();
      if (file.is_open()) file << found.best[0].text.value_or("") << "\n";
      if (found.parts > 1) {
        std::fprintf(stderr, "line %zu: beyond the limit of %d tokens; translated in %zu parts\n",
                     lines_[i], translator->bundle().max_source_length, found.parts);
      }
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
    WriteCpu(&json, measured.megahertz);
    if (arguments_.profile) WriteProfile(&json, profile_);
    return json.Finish();
  }

  const Arguments arguments_;
  std::vector<std::string> sentences_;
  std::vector<size_t> lines_;  // Their numbers in the input.
  double init_ms_ = 0;
  double first_ms_ = 0;
  size_t source_tokens_ = 0;
  size_t target_tokens_ = 0;
  litert::Profile profile_;
};

}  // namespace

std::string BenchmarkTranslator(const Arguments& arguments) { return Benchmark(arguments).Run(); }

}  // namespace tfcompress
