#ifndef TFCOMPRESS_TOOLS_TRANSLATOR_BENCHMARK_H_
#define TFCOMPRESS_TOOLS_TRANSLATOR_BENCHMARK_H_

#include <string>

#include "tools/arguments.h"

namespace tfcompress {

// Measures the bundle of a translation model; returns the figures as JSON.
std::string BenchmarkTranslator(const Arguments& arguments);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_TRANSLATOR_BENCHMARK_H_
