#include "tools/json_writer.h"

#include <cmath>
#include <cstdio>

namespace tfcompress {

std::string JsonWriter::Written(const std::string& value) {
  std::string text = "\"";
  for (char c : value) {
    if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", c);
      text += escape;
      continue;
    }
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

// JSON has no infinities.
std::string JsonWriter::Written(double value) {
  if (!std::isfinite(value)) return "null";
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%.3f", value);
  return digits;
}

}  // namespace tfcompress
