// Measures a bundle on the device that it runs on, and prints the metrics as JSON.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/manifest.h"
#include "tools/arguments.h"
#include "tools/bundle_benchmark.h"
#include "tools/measuring.h"

namespace tfcompress {
namespace {

constexpr int kBadInput = 2;
constexpr char kUsage[] =
    "usage: tfcompress-benchmark BUNDLE [--input FILE] [--threads N] [--beam N] [--warmup N]\n"
    "                            [--runs N] [--output FILE] [--library FILE] [--translations "
    "FILE]\n"
    "                            [--results FILE] [--profile]\n"
    "\n"
    "Translates the sentences of a file, one a line ('-', the default: standard input), encodes\n"
    "them with a text encoder, or continues them with a language model, and prints latency,\n"
    "throughput, memory and where the time goes as JSON.\n"
    "\n"
    "  --threads N        threads of LiteRT for one sentence (default 1)\n"
    "  --beam N           hypotheses that the search keeps; 1 is greedy search (default 1)\n"
    "  --warmup N         passes over the sentences that are not measured (default 2)\n"
    "  --runs N           passes that are measured (default 3)\n"
    "  --output FILE      where the metrics go too\n"
    "  --translations FILE  where translations or continuations go, one a line\n"
    "  --results FILE     of a text encoder: where the numbers of each text go, one text a line\n"
    "  --profile          measure each operation too, in one more pass\n"
    "  --library FILE     LiteRT's library (default: TFCOMPRESS_LITERT, else libLiteRt.so)\n";

int Main(const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  try {
    const Arguments arguments = ParseArguments(words);
    const std::string model_type = BundleModelType(FolderFiles(arguments.bundle));
    const auto run = model_type == kTextEncoder     ? BenchmarkTextEncoder
                     : model_type == kLanguageModel ? BenchmarkLanguageModel
                                                    : BenchmarkTranslation;
    const std::string report = run(arguments);
    if (!arguments.output.empty()) {
      std::ofstream file(arguments.output);
      if (!(file << report << "\n" << std::flush)) Fail(kUnwritable, arguments.output, kOtherFile);
    }
    if (std::puts(report.c_str()) == EOF || std::fflush(stdout) == EOF) {
      Fail(kUnwritable, "standard output", kOtherFile);
    }
    return 0;
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
