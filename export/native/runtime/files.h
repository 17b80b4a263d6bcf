#ifndef TFCOMPRESS_RUNTIME_FILES_H_
#define TFCOMPRESS_RUNTIME_FILES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "common/bytes.h"

namespace tfcompress {

// Where the files of a bundle are.
class Files {
 public:
  virtual ~Files() = default;
  // The file of a name, and its size. Both throw Error (kNotFound) if there is none.
  virtual Bytes Open(const std::string& name) const = 0;
  virtual uint64_t Size(const std::string& name) const = 0;
  // What messages call a file.
  virtual std::string Name(const std::string& name) const = 0;
};

class FolderFiles final : public Files {
 public:
  explicit FolderFiles(std::string folder) : folder_(std::move(folder)) {}
  Bytes Open(const std::string& name) const override;
  uint64_t Size(const std::string& name) const override;
  std::string Name(const std::string& name) const override { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

class MemoryFiles final : public Files {
 public:
  void Add(std::string name, Bytes bytes) { files_.insert_or_assign(std::move(name), bytes); }
  Bytes Open(const std::string& name) const override;
  uint64_t Size(const std::string& name) const override { return Open(name).size(); }
  std::string Name(const std::string& name) const override { return name; }

 private:
  std::map<std::string, Bytes> files_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_FILES_H_
