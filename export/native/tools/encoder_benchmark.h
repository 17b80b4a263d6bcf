#ifndef TFCOMPRESS_TOOLS_ENCODER_BENCHMARK_H_
#define TFCOMPRESS_TOOLS_ENCODER_BENCHMARK_H_

#include <string>

#include "tools/arguments.h"

namespace tfcompress {

// Measures the bundle of a text encoder; returns the figures as JSON.
std::string BenchmarkEncoder(const Arguments& arguments);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_ENCODER_BENCHMARK_H_
