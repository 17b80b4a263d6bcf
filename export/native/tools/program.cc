#include "tools/program.h"

#include <algorithm>
#include <iostream>
#include <stdexcept>

#include "common/error.h"

namespace tfcompress {
namespace {

constexpr int kBadInput = 2;

}  // namespace

void FailUsage(const std::string& cause, const std::string& received) {
  throw Error(Error::Code::kInvalidArgument, cause, received, "See --help");
}

int32_t WholeNumber(const std::string& option, const std::string& text) {
  size_t used = 0;
  int32_t value = -1;
  try {
    value = std::stoi(text, &used);
  } catch (const std::exception&) {
  }
  if (used != text.size() || value < 0) {
    FailUsage(option + " must be a whole number", "'" + text + "'");
  }
  return value;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int RunProgram(const char* name, const char* usage, int argc, char** argv,
               std::string (*run)(int argc, char** argv)) {
  if (argc == 1 || std::string(argv[1]) == "--help") {
    std::cout << usage;
    return argc == 1 ? kBadInput : 0;
  }
  try {
    if (!(std::cout << run(argc, argv) << "\n" << std::flush)) {
      throw std::runtime_error("standard output cannot be written");
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << "\n";
    return kBadInput;
  }
}

}  // namespace tfcompress
