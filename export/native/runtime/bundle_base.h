#ifndef TFCOMPRESS_RUNTIME_BUNDLE_BASE_H_
#define TFCOMPRESS_RUNTIME_BUNDLE_BASE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "runtime/files.h"
#include "runtime/manifest.h"

namespace tfcompress {

// What an opened bundle of any type of model has.
struct BundleBase {
  std::string name;  // The model's, for messages.
  std::vector<std::string> custom_ops;
  Bytes model;
  uint64_t size = 0;  // Bytes of all files together.

  // Opens all files and returns them by name, checked: with `verify`, their SHA-256 too. Throws
  // Error (kNotFound, kBadBundle, kUnsupported).
  std::map<std::string, Bytes> Open(const Manifest& manifest, const Files& files, bool verify);
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_BUNDLE_BASE_H_
