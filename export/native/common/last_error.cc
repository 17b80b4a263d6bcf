#include "common/last_error.h"

namespace tfcompress {

std::string& LastError() {
  thread_local std::string message;
  return message;
}

}  // namespace tfcompress

const char* tfc_last_error(void) { return tfcompress::LastError().c_str(); }
