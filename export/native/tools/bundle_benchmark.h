#ifndef TFCOMPRESS_TOOLS_BUNDLE_BENCHMARK_H_
#define TFCOMPRESS_TOOLS_BUNDLE_BENCHMARK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "litert/api.h"
#include "litert/profile.h"
#include "runtime/files.h"
#include "tools/arguments.h"
#include "tools/json_writer.h"

namespace tfcompress {

// Measures a bundle of one type of model: runs the texts one by one, pass by pass.
class BundleBenchmark {
 public:
  explicit BundleBenchmark(Arguments arguments) : arguments_(std::move(arguments)) {}
  virtual ~BundleBenchmark() = default;

  // The metrics as JSON. Throws Error.
  std::string Run();

 protected:
  // Opens the bundle and returns the bytes of its files.
  virtual uint64_t Verify(const Files& files) const = 0;
  virtual void Load(const litert::Api& api, const Files& files, litert::Profile* profile) = 0;
  // Runs a text; where it is measured, notes more about it.
  virtual void Compute(const std::string& text, bool measured) = 0;
  // Counts what one pass computes, and writes its results. Whether a text is overlong.
  virtual bool Count(const std::string& text) = 0;
  virtual void Finish() {}
  virtual void Report(JsonWriter* json) const = 0;

  const Arguments& arguments() const { return arguments_; }
  double total_ms() const { return total_ms_; }  // Of all measured passes.

 private:
  double Milliseconds(const std::string& text, bool measured);

  const Arguments arguments_;
  double total_ms_ = 0;
};

// Measure the bundle that the arguments name, and return the metrics as JSON. Throw Error.
std::string BenchmarkTranslation(const Arguments& arguments);
std::string BenchmarkTextEncoder(const Arguments& arguments);
std::string BenchmarkLanguageModel(const Arguments& arguments);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_BUNDLE_BENCHMARK_H_
