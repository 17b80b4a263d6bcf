#ifndef TFCOMPRESS_TOOLS_ARGUMENTS_H_
#define TFCOMPRESS_TOOLS_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tfcompress {

// The command line of tfcompress-benchmark.
struct Arguments {
  std::string bundle;
  std::string input = "-";
  std::string output;
  std::string translations;
  std::string results;
  std::string library;
  int32_t threads = 1;
  int32_t beam = 1;
  int32_t warmup = 2;
  int32_t runs = 3;
  bool profile = false;
};

// Throws Error (kInvalidArgument) for a command line that is wrong.
Arguments ParseArguments(const std::vector<std::string>& words);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_ARGUMENTS_H_
