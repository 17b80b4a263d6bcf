#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <vector>

#include "runtime/translation_bundle.h"
#include "runtime/translator.h"
#include "tools/bundle_benchmark.h"
#include "tools/measuring.h"

namespace tfcompress {
namespace {

class TranslationBenchmark final : public BundleBenchmark {
 public:
  explicit TranslationBenchmark(const Arguments& parsed) : BundleBenchmark(parsed) {
    if (!parsed.results.empty()) {
      Fail("--results is for text encoders only", parsed.bundle, "Use --translations");
    }
    options_.beam_size = parsed.beam;
    if (parsed.translations.empty()) return;
    file_.open(parsed.translations);
    if (!file_) Fail(kUnwritable, parsed.translations, kOtherFile);
  }

 private:
  uint64_t Verify(const Files& files) const override {
    return OpenTranslationBundle(files, true).size;
  }

  void Load(const litert::Api& api, const Files& files, litert::Profile* profile) override {
    translator_ = std::make_unique<Translator>(api, OpenTranslationBundle(files, false),
                                               arguments().threads, profile);
  }

  void Compute(const std::string& text, bool measured) override {
    translator_->Translate(text, options_);
    if (!measured) return;
    const Timings& timings = translator_->timings();
    // All but the other steps comes before the first token.
    first_tokens_.push_back(1000 * (timings.encode_seconds + timings.first_step_seconds));
    encode_seconds_ += timings.encode_seconds;
    step_seconds_ += timings.step_seconds;
    steps_ += timings.steps;
  }

  bool Count(const std::string& text) override {
    source_tokens_ += translator_->Tokenize(text).size();
    const Translations results = translator_->Translate(text, options_);
    target_tokens_ += results.best[0].hypothesis.ids.size();
    if (file_.is_open()) file_ << results.best[0].text.value_or("") << "\n";
    return results.parts > 1;
  }

  void Finish() override {
    if (file_.is_open() && !file_.flush()) Fail(kUnwritable, arguments().translations, kOtherFile);
  }

  void Report(JsonWriter* json) const override {
    const double total = total_ms();
    json->Field("beam_size", options_.beam_size);
    json->Field("source_tokens", source_tokens_);
    json->Field("target_tokens", target_tokens_);
    json->Field("target_tokens_per_s",
                1000.0 * arguments().runs * static_cast<double>(target_tokens_) / total);
    WriteLatencies(json, "first_token_ms", first_tokens_);
    json->BeginObject("signatures_ms");
    json->Field("encode", 1000 * encode_seconds_);
    json->Field("step", 1000 * step_seconds_);
    json->Field("search_and_tokenizer", total - 1000 * (encode_seconds_ + step_seconds_));
    json->End();
    json->Field("steps", steps_);
    json->Field("step_us", 1e6 * step_seconds_ / static_cast<double>(steps_));
  }

  SearchOptions options_;
  std::ofstream file_;  // Of translations.
  std::unique_ptr<Translator> translator_;
  std::vector<double> first_tokens_;  // Milliseconds of each text.
  double encode_seconds_ = 0;
  double step_seconds_ = 0;
  int64_t steps_ = 0;
  size_t source_tokens_ = 0;
  size_t target_tokens_ = 0;
};

}  // namespace

std::string BenchmarkTranslation(const Arguments& arguments) {
  return TranslationBenchmark(arguments).Run();
}

}  // namespace tfcompress
