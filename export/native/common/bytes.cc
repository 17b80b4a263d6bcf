#include "common/bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "common/error.h"

namespace tfcompress {
namespace {

constexpr size_t kAlignment = 64;

class File {
 public:
  explicit File(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

Bytes Bytes::MapFile(const std::string& path) {
  const auto fail = [&path](const char* reason) {
    throw Error(Error::Code::kNotFound,
                path + ": cannot be read (" + reason + "); export or copy the bundle again");
  };
  const File file(path);
  struct stat status = {};
  if (file.descriptor() < 0 || fstat(file.descriptor(), &status) != 0) fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail("it is no file");
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return {};
  void* mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (mapped == MAP_FAILED) fail(std::strerror(errno));
  const auto unmap = [size](const uint8_t* data) { munmap(const_cast<uint8_t*>(data), size); };
  return {std::shared_ptr<const uint8_t>(static_cast<const uint8_t*>(mapped), unmap), size};
}

Bytes Bytes::Copy(const void* data, size_t size) {
  if (size == 0) return {};
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, size) != 0) throw std::bad_alloc();
  std::memcpy(memory, data, size);
  return {std::shared_ptr<const uint8_t>(static_cast<const uint8_t*>(memory),
                                         [](const uint8_t* p) { free(const_cast<uint8_t*>(p)); }),
          size};
}

}  // namespace tfcompress
