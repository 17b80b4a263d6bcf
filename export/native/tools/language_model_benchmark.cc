#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "runtime/language_model.h"
#include "tools/bundle_benchmark.h"
#include "tools/measuring.h"

namespace tfcompress {
namespace {

// Continues the first half of each text by as many tokens as the second half has.
class LanguageModelBenchmark final : public BundleBenchmark {
 public:
  explicit LanguageModelBenchmark(const Arguments& parsed) : BundleBenchmark(parsed) {
    if (!parsed.results.empty()) {
      Fail("--results is for text encoders", parsed.results, "Use --translations");
    }
    options_.beam_size = parsed.beam;
    if (parsed.translations.empty()) return;
    file_.open(parsed.translations);
    if (!file_) Fail(kUnwritable, parsed.translations, kOtherFile);
  }

 private:
  uint64_t Verify(const Files& files) const override {
    return OpenLanguageModelBundle(files, true).size;
  }

  void Load(const litert::Api& api, const Files& files, litert::Profile* profile) override {
    model_ = std::make_unique<LanguageModel>(api, OpenLanguageModelBundle(files, false),
                                             arguments().threads, profile);
  }

  void Compute(const std::string& text, bool) override { Continue(text); }

  bool Count(const std::string& text) override {
    const Task task = Continue(text);
    prompt_tokens_ += task.prompt.size();
    target_tokens_ += task.added.size();
    if (file_.is_open()) {
      file_ << model_->Continuation("", task.prompt, task.added).value_or("") << "\n";
    }
    return task.is_overlong;
  }

  void Finish() override {
    if (file_.is_open() && !file_.flush()) Fail(kUnwritable, arguments().translations, kOtherFile);
  }

  void Report(JsonWriter* json) const override {
    const auto rate = [&](size_t tokens) {
      return 1000.0 * arguments().runs * static_cast<double>(tokens) / total_ms();
    };
    json->Field("beam_size", options_.beam_size);
    json->Field("prompt_tokens", prompt_tokens_);
    json->Field("target_tokens", target_tokens_);
    json->Field("target_tokens_per_s", rate(target_tokens_));
    json->Field("tokens_per_s", rate(prompt_tokens_ + target_tokens_));
  }

  struct Task {
    LanguageModel::Ids prompt;
    LanguageModel::Ids added;
    bool is_overlong;
  };

  Task Continue(const std::string& text) {
    LanguageModel::Ids ids = model_->Tokenize(text);
    const auto most = static_cast<size_t>(model_->bundle().max_target_length);
    const bool is_overlong = ids.size() >= most;
    if (is_overlong || ids.size() + 2 > most) ids.resize(most > 2 ? most - 2 : 1);
    const size_t half = ids.size() / 2;
    GenerationOptions options = options_;
    options.max_tokens = static_cast<int32_t>(std::max<size_t>(ids.size() - half, 1));
    ids.resize(half);
    return {ids, model_->Generate(ids, options)[0].ids, is_overlong};
  }

  GenerationOptions options_;
  std::ofstream file_;  // Of continuations.
  std::unique_ptr<LanguageModel> model_;
  size_t prompt_tokens_ = 0;
  size_t target_tokens_ = 0;
};

}  // namespace

std::string BenchmarkLanguageModel(const Arguments& arguments) {
  return LanguageModelBenchmark(arguments).Run();
}

}  // namespace tfcompress
