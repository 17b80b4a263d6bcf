#ifndef TFCOMPRESS_COMMON_BYTES_H_
#define TFCOMPRESS_COMMON_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tfcompress {

// Bytes that stay where they are and as they are, shared by all copies. They begin at a multiple of
// 64, as LiteRT wants. Files are read rather than mapped: a mapped one that is cut short ends the
// program, and one that is changed is no longer what was verified.
class Bytes {
 public:
  Bytes() = default;

  // Reads a file, or its size alone. Both throw Error (kNotFound) if that is impossible.
  static Bytes ReadFile(const std::string& path);
  static uint64_t FileSize(const std::string& path);
  // Reads a section of an open file, whose position stays; `name` is for messages.
  static Bytes ReadSection(int descriptor, uint64_t offset, size_t size, const std::string& name);
  // Copies memory.
  static Bytes Copy(const void* data, size_t size);

  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }

 private:
  Bytes(std::shared_ptr<const uint8_t> data, size_t size) : data_(std::move(data)), size_(size) {}

  std::shared_ptr<const uint8_t> data_;
  size_t size_ = 0;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_COMMON_BYTES_H_
