#ifndef TFCOMPRESS_TOOLS_TEXT_ENCODER_BENCHMARK_H_
#define TFCOMPRESS_TOOLS_TEXT_ENCODER_BENCHMARK_H_

#include <string>

#include "tools/arguments.h"

namespace tfcompress {

// Measures the bundle of a text encoder; returns the metrics as JSON.
std::string BenchmarkTextEncoder(const Arguments& arguments);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_TEXT_ENCODER_BENCHMARK_H_
