#include "common/bytes.h"

#include <fcntl.h>
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

// A file that is open for reading.
class File {
 public:
  explicit File(const std::string& path)
      // Where there is a pipe instead, nothing waits for its writer.
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status = {};
    if (descriptor_ < 0) Fail(std::strerror(errno));
    if (fstat(descriptor_, &status) != 0) Fail(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) Fail("it is no file");
    size_ = static_cast<size_t>(status.st_size);
  }
  ~File() { Close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  size_t size() const { return size_; }

  void Read(uint8_t* to) {
    for (size_t done = 0; done < size_;) {
      const ssize_t count = read(descriptor_, to + done, size_ - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) Fail(std::strerror(errno));
      if (count == 0) Fail("it is cut short while it is read");
      done += static_cast<size_t>(count);
    }
  }

 private:
  [[noreturn]] void Fail(const char* reason) {
    // No destructor runs where the constructor throws.
    Close();
    throw Error(Error::Code::kNotFound, "A file cannot be read", path_ + " (" + reason + ")",
                kCopyAgain);
  }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }

  const std::string& path_;
  int descriptor_;
  size_t size_;
};

std::shared_ptr<uint8_t> NewMemory(size_t size) {
  if (size == 0) return nullptr;
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, size) != 0) throw std::bad_alloc();
  return {static_cast<uint8_t*>(memory), free};
}

}  // namespace

Bytes Bytes::ReadFile(const std::string& path) {
  File file(path);
  const std::shared_ptr<uint8_t> memory = NewMemory(file.size());
  file.Read(memory.get());
  return {memory, file.size()};
}

uint64_t Bytes::FileSize(const std::string& path) { return File(path).size(); }

Bytes Bytes::Copy(const void* data, size_t size) {
  const std::shared_ptr<uint8_t> memory = NewMemory(size);
  if (size > 0) std::memcpy(memory.get(), data, size);
  return {memory, size};
}

}  // namespace tfcompress
