#include "runtime/files.h"

#include "common/error.h"

namespace tfcompress {

Bytes FolderFiles::Open(const std::string& name) const { return Bytes::ReadFile(Name(name)); }

uint64_t FolderFiles::Size(const std::string& name) const { return Bytes::FileSize(Name(name)); }

Bytes MemoryFiles::Open(const std::string& name) const {
  const auto it = files_.find(name);
  if (it == files_.end()) {
    throw Error(Error::Code::kNotFound, "A file of the bundle is missing", name,
                "Give all files of the bundle");
  }
  return it->second;
}

}  // namespace tfcompress
