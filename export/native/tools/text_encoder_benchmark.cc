#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "runtime/text_encoder.h"
#include "tools/bundle_benchmark.h"
#include "tools/measuring.h"

namespace tfcompress {
namespace {

using Clock = std::chrono::steady_clock;

// Lengths in tokens to time the model alone at, for so long and so often at least.
constexpr int32_t kLengths[] = {8, 32, 128};
constexpr double kSeconds = 0.5;
constexpr size_t kLeastRuns = 10;

// The median milliseconds of the model on some ids.
double MedianMs(TextEncoder* encoder, int32_t length) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int32_t> id(0, encoder->bundle().vocabulary - 1);
  std::vector<int32_t> ids(static_cast<size_t>(length));
  std::generate(ids.begin(), ids.end(), [&] { return id(random); });
  encoder->Run(ids);
  std::vector<double> times;
  const auto first = Clock::now();
  while (times.size() < kLeastRuns || SecondsSince(first) < kSeconds) {
    const auto begin = Clock::now();
    encoder->Run(ids);
    times.push_back(1000 * SecondsSince(begin));
  }
  return Percentile(times, 0.5);
}

class TextEncoderBenchmark final : public BundleBenchmark {
 public:
  explicit TextEncoderBenchmark(const Arguments& parsed) : BundleBenchmark(parsed) {
    if (parsed.beam != 1 || !parsed.translations.empty()) {
      Fail("A text encoder has no --beam and no --translations", parsed.bundle, "Leave them out");
    }
    if (parsed.results.empty()) return;
    file_.open(parsed.results);
    file_.precision(std::numeric_limits<float>::max_digits10);
    if (!file_) Fail(kUnwritable, parsed.results, kOtherFile);
  }

 private:
  uint64_t Verify(const Files& files) const override {
    return OpenTextEncoderBundle(files, true).size;
  }

  void Load(const litert::Api& api, const Files& files, litert::Profile* profile) override {
    encoder_ = std::make_unique<TextEncoder>(api, OpenTextEncoderBundle(files, false),
                                             arguments().threads, profile);
  }

  void Compute(const std::string& text, bool) override {
    encoder_->Run(encoder_->Fitting(text, true));
  }

  // Writes the results of the text too, all of them in the order of their names, in a line.
  bool Count(const std::string& text) override {
    const std::vector<int32_t> ids = encoder_->Fitting(text, true);
    tokens_ += ids.size();
    if (file_.is_open()) {
      for (const auto& [name, rows] : encoder_->Run(ids)) {
        for (const float value : rows.values) file_ << value << " ";
      }
      file_ << "\n";
    }
    return encoder_->Tokenize(text).size() > ids.size();
  }

  void Finish() override {
    if (file_.is_open() && !file_.flush()) Fail(kUnwritable, arguments().results, kOtherFile);
    for (const int32_t length : kLengths) {
      if (length > encoder_->bundle().max_length) continue;
      length_ms_[length] = MedianMs(encoder_.get(), length);
    }
  }

  void Report(JsonWriter* json) const override {
    json->Field("tokens", tokens_);
    json->Field("tokens_per_s",
                1000.0 * arguments().runs * static_cast<double>(tokens_) / total_ms());
    json->BeginObject("length_ms");
    for (const auto& [length, milliseconds] : length_ms_) {
      json->Field(std::to_string(length).c_str(), milliseconds);
    }
    json->End();
  }

  std::ofstream file_;  // Of results.
  std::unique_ptr<TextEncoder> encoder_;
  size_t tokens_ = 0;
  std::map<int32_t, double> length_ms_;
};

}  // namespace

std::string BenchmarkTextEncoder(const Arguments& arguments) {
  return TextEncoderBenchmark(arguments).Run();
}

}  // namespace tfcompress
