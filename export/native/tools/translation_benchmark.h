#ifndef TFCOMPRESS_TOOLS_TRANSLATION_BENCHMARK_H_
#define TFCOMPRESS_TOOLS_TRANSLATION_BENCHMARK_H_

#include <string>

#include "tools/arguments.h"

namespace tfcompress {

// Measures the bundle of a translation model; returns the figures as JSON.
std::string BenchmarkTranslation(const Arguments& arguments);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_TRANSLATION_BENCHMARK_H_
