#ifndef TFCOMPRESS_TOOLS_PROGRAM_H_
#define TFCOMPRESS_TOOLS_PROGRAM_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tfcompress {

// Throws Error (kInvalidArgument) of a program's arguments.
[[noreturn]] void FailUsage(const std::string& cause, const std::string& received);

// The whole number that an option has.
int32_t WholeNumber(const std::string& option, const std::string& text);

double Median(std::vector<double> values);

// Prints what `run` makes of the words behind the program's name, or `usage` where there are none
// or --help; returns the exit code.
int RunProgram(const char* name, const char* usage, int argc, char** argv,
               std::string (*run)(int argc, char** argv));

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_PROGRAM_H_
