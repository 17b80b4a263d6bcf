#include <string>
#include <utility>

#include "common/last_error.h"
#include "common/log.h"
#include "tfcompress.h"

using tfcompress::Severity;

tfc_status tfc_set_log(tfc_log_callback callback, void* user_data, int32_t severity) {
  return tfcompress::Guarded([&] {
    tfcompress::Require(severity >= TFC_LOG_VERBOSE && severity <= TFC_LOG_SILENT,
                        "`severity` must be a tfc_severity", std::to_string(severity),
                        "Give another");
    tfcompress::LogSink sink;
    if (callback != nullptr) {
      sink = [=](Severity own, const char* message) {
        callback(user_data, static_cast<int32_t>(own), message);
      };
    }
    tfcompress::SetLog(std::move(sink), static_cast<Severity>(severity));
  });
}
