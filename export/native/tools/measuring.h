#ifndef TFCOMPRESS_TOOLS_MEASURING_H_
#define TFCOMPRESS_TOOLS_MEASURING_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "litert/profile.h"
#include "tools/json_writer.h"

namespace tfcompress {

// Throws Error (kInvalidArgument).
constexpr char kUnwritable[] = "A file cannot be written";
constexpr char kOtherFile[] = "Give another";

[[noreturn]] void Fail(const std::string& cause, const std::string& received,
                       const std::string& remedy);

// The lines of a file, or of standard input for "-", but for blank ones. Their numbers, from 1, are
// added to `numbers`, unless it is null.
std::vector<std::string> ReadTexts(const std::string& name, std::vector<size_t>* numbers = nullptr);

double SecondsSince(std::chrono::steady_clock::time_point begin);

// The value below which a share of the values lies, between the two nearest.
double Percentile(std::vector<double> values, double share);
double Mean(const std::vector<double>& values);

void WriteLatencies(JsonWriter* json, const char* name, const std::vector<double>& values);
// The operations of each signature, those that take longest first.
void WriteProfile(JsonWriter* json, const litert::Profile& profile);
// The processor, and its frequencies in between.
void WriteCpu(JsonWriter* json, const std::vector<double>& megahertz);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_MEASURING_H_
