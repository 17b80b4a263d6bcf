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

[[noreturn]] void FailToRead(const std::string& name, const char* reason) {
  throw Error(Error::Code::kNotFound, "A file cannot be read", name + " (" + reason + ")",
              kCopyAgain);
}

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

  int descriptor() const { return descriptor_; }

 private:
  [[noreturn]] void Fail(const char* reason) {
    // No destructor runs where the constructor throws.
    Close();
    FailToRead(path_, reason);
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
  const File file(path);
  return ReadSection(file.descriptor(), 0, file.size(), path);
}

Bytes Bytes::ReadSection(int descriptor, uint64_t offset, size_t size, const std::string& name) {
  struct stat status = {};
  if (fstat(descriptor, &status) != 0) FailToRead(name, std::strerror(errno));
  const auto whole = static_cast<uint64_t>(status.st_size);
  // Before memory is taken for what is not there.
  if (!S_ISREG(status.st_mode)) FailToRead(name, "it is no file");
  if (offset > whole || size > whole - offset) FailToRead(name, "it is cut short");
  const std::shared_ptr<uint8_t> memory = NewMemory(size);
  for (size_t done = 0; done < size;) {
    const ssize_t count =
        pread(descriptor, memory.get() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) FailToRead(name, std::strerror(errno));
    if (count == 0) FailToRead(name, "it is cut short while it is read");
    done += static_cast<size_t>(count);
  }
  return {memory, size};
}

uint64_t Bytes::FileSize(const std::string& path) { return File(path).size(); }

Bytes Bytes::Copy(const void* data, size_t size) {
  const std::shared_ptr<uint8_t> memory = NewMemory(size);
  if (size > 0) std::memcpy(memory.get(), data, size);
  return {memory, size};
}

}  // namespace tfcompress
