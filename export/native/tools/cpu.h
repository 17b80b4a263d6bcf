#ifndef TFCOMPRESS_TOOLS_CPU_H_
#define TFCOMPRESS_TOOLS_CPU_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tfcompress {

// The processor's name, as the system gives it, or "".
std::string CpuName();

// Those features of the processor that matrix products can use.
std::vector<std::string> CpuFeatures();

// The mean frequency of all cores in megahertz, where the system shows it.
std::optional<double> CpuMegahertz();

// The temperature of the hottest part in degrees Celsius, where the system shows it.
std::optional<double> HottestCelsius();

// The process's resident memory now and at its peak, in bytes; 0 where it is not known.
uint64_t ResidentBytes();
uint64_t PeakResidentBytes();

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_CPU_H_
