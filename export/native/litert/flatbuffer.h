#ifndef TFCOMPRESS_LITERT_FLATBUFFER_H_
#define TFCOMPRESS_LITERT_FLATBUFFER_H_

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "common/bytes.h"

namespace tfcompress::litert {

// Throws Error (kBadBundle) unless it holds.
void RequireIntact(bool holds, const char* what);

// The bytes of a flatbuffer, of which none beyond the end are read. What is read is counted, as a
// few bytes may be referred to again and again.
class File {
 public:
  explicit File(const Bytes& bytes);

  bool Holds(uint64_t at, uint64_t size) const { return at <= size_ && size <= size_ - at; }
  uint64_t size() const { return size_; }
  const uint8_t* data() const { return data_; }

  template <typename T>
  T Read(uint64_t at) const {
    RequireIntact(Holds(at, sizeof(T)), "it points beyond its end");
    T value;
    std::memcpy(&value, data_ + at, sizeof(T));
    return value;
  }

  std::string_view Text(uint64_t at, uint64_t size) const;
  // Where an offset leads.
  uint64_t Follow(uint64_t at) const { return at + Read<uint32_t>(at); }
  void Count(uint64_t bytes) const;

 private:
  const uint8_t* data_;
  uint64_t size_;
  mutable uint64_t left_;
};

// Values side by side, each of which may be read.
template <typename T>
class Vector {
 public:
  Vector() = default;
  Vector(const File& file, uint64_t at) : file_(&file), begin_(at + sizeof(uint32_t)) {
    count_ = file.Read<uint32_t>(at);
    RequireIntact(file.Holds(begin_, count_ * sizeof(T)), "a list goes beyond its end");
    // Bytes are not read one by one.
    if (sizeof(T) > 1) file.Count(count_ * sizeof(T));
  }

  size_t size() const { return count_; }
  uint64_t At(size_t index) const { return begin_ + index * sizeof(T); }
  T operator[](size_t index) const { return file_->Read<T>(At(index)); }

 private:
  const File* file_ = nullptr;
  uint64_t begin_ = 0;
  uint64_t count_ = 0;
};

class Table {
 public:
  Table(const File& file, uint64_t at);

  // Throws unless the table has these fields at most.
  void AllowOnly(std::initializer_list<size_t> fields) const;
  void AllowFirst(size_t count) const;
  bool Has(size_t field) const { return field < num_fields_ && Offset(field) != 0; }

  // 0 if the field is absent.
  template <typename T>
  T Scalar(size_t field) const {
    return Has(field) ? file_->Read<T>(Place(field, sizeof(T))) : T();
  }
  bool Flag(size_t field) const;

  // None if the field is absent.
  template <typename T>
  Vector<T> List(size_t field) const {
    return Has(field) ? Vector<T>(*file_, Target(field)) : Vector<T>();
  }
  std::optional<Table> Child(size_t field) const;
  // None of which is there twice.
  std::vector<Table> Children(size_t field) const;
  // A text, which ends with a zero that its length leaves out.
  std::string_view Text(size_t field) const;

 private:
  static constexpr size_t kHeader = 4;

  uint16_t Offset(size_t field) const {
    return file_->Read<uint16_t>(fields_ + kHeader + field * sizeof(uint16_t));
  }
  uint64_t Place(size_t field, size_t size) const;
  uint64_t Target(size_t field) const { return file_->Follow(Place(field, sizeof(uint32_t))); }

  const File* file_;
  uint64_t at_;
  uint64_t fields_;
  size_t size_;
  size_t num_fields_;
};

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_FLATBUFFER_H_
