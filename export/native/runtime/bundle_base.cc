#include "runtime/bundle_base.h"

namespace tfcompress {

std::map<std::string, Bytes> BundleBase::Open(const Manifest& manifest, const Files& files,
                                              bool verify) {
  name = files.Name(kModelFile);
  std::map<std::string, Bytes> opened = manifest.OpenFiles(files, verify);
  size = manifest.size();
  for (const auto& [file, bytes] : opened) size += bytes.size();
  model = opened.at(kModelFile);
  custom_ops = manifest.CustomOps();
  return opened;
}

}  // namespace tfcompress
