#ifndef TFCOMPRESS_COMMON_LOG_H_
#define TFCOMPRESS_COMMON_LOG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tfcompress {

// How much a message matters; the numbers are those of `tfc_severity` and of LiteRT.
enum class Severity : int32_t { kVerbose, kInfo, kWarning, kError, kSilent };

// Takes messages.
using LogSink = std::function<void(Severity, const char* message)>;

// Gives messages from a severity on to a sink, or none for a null one.
void SetLog(LogSink sink, Severity least);

// The severity from which on there is a sink; none without one.
std::optional<Severity> LogSeverity();

// Gives the sink a message, if there is one that wants it.
void Log(Severity severity, const std::string& message);

}  // namespace tfcompress

#endif  // TFCOMPRESS_COMMON_LOG_H_
