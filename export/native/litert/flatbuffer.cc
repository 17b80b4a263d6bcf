#include "litert/flatbuffer.h"

#include <algorithm>

#include "common/error.h"
#include "tokenizer/utf8.h"

namespace tfcompress::litert {
namespace {

// How often the bytes of a file are read, on average, and what a table counts for besides its own.
constexpr uint64_t kMostReadings = 4;
constexpr uint64_t kOfTable = 32;
constexpr uint64_t kLeast = 1 << 12;

}  // namespace

void RequireIntact(bool holds, const char* what) {
  if (!holds) throw Error(Error::Code::kBadBundle, what);
}

File::File(const Bytes& bytes)
    : data_(bytes.data()), size_(bytes.size()), left_(kLeast + kMostReadings * size_) {}

std::string_view File::Text(uint64_t at, uint64_t size) const {
  RequireIntact(Holds(at, size), "a text goes beyond its end");
  Count(size);
  return {reinterpret_cast<const char*>(data_ + at), static_cast<size_t>(size)};
}

void File::Count(uint64_t bytes) const {
  RequireIntact(bytes <= left_, "it refers to the same places again and again");
  left_ -= bytes;
}

Table::Table(const File& file, uint64_t at) : file_(&file), at_(at) {
  fields_ = at - static_cast<uint64_t>(static_cast<int64_t>(file.Read<int32_t>(at)));
  const auto fields_size = file.Read<uint16_t>(fields_);
  size_ = file.Read<uint16_t>(fields_ + sizeof(uint16_t));
  RequireIntact(fields_size >= kHeader && fields_size % sizeof(uint16_t) == 0 && size_ >= kHeader &&
                    file.Holds(fields_, fields_size) && file.Holds(at, size_),
                "a table goes beyond its end");
  file.Count(kOfTable + fields_size + size_);
  num_fields_ = (fields_size - kHeader) / sizeof(uint16_t);
  for (size_t i = 0; i < num_fields_; ++i) {
    RequireIntact(Offset(i) < size_, "a table has no such field");
  }
}

void Table::AllowOnly(std::initializer_list<size_t> fields) const {
  for (size_t i = 0; i < num_fields_; ++i) {
    RequireIntact(!Has(i) || std::find(fields.begin(), fields.end(), i) != fields.end(),
                  "a table has a field that export does not write");
  }
}

void Table::AllowFirst(size_t count) const {
  for (size_t i = count; i < num_fields_; ++i) {
    RequireIntact(!Has(i), "a table has a field that export does not write");
  }
}

bool Table::Flag(size_t field) const {
  const auto value = Scalar<uint8_t>(field);
  RequireIntact(value <= 1, "a truth value is neither 0 nor 1");
  return value != 0;
}

std::optional<Table> Table::Child(size_t field) const {
  if (!Has(field)) return std::nullopt;
  return Table(*file_, Target(field));
}

std::vector<Table> Table::Children(size_t field) const {
  const auto offsets = List<uint32_t>(field);
  std::vector<Table> tables;
  std::vector<uint64_t> places;
  for (size_t i = 0; i < offsets.size(); ++i) {
    places.push_back(file_->Follow(offsets.At(i)));
    tables.emplace_back(*file_, places.back());
  }
  std::sort(places.begin(), places.end());
  RequireIntact(std::adjacent_find(places.begin(), places.end()) == places.end(),
                "a table is in a list twice");
  return tables;
}

std::string_view Table::Text(size_t field) const {
  if (!Has(field)) return {};
  const auto characters = List<char>(field);
  std::string_view text = file_->Text(characters.At(0), characters.size() + 1);
  RequireIntact(text.back() == '\0' && FindInvalidUtf8(text) == text.npos,
                "a text does not end, or is not UTF-8");
  text.remove_suffix(1);
  return text;
}

uint64_t Table::Place(size_t field, size_t size) const {
  RequireIntact(Offset(field) >= kHeader && Offset(field) + size <= size_,
                "a table has no such field");
  return at_ + Offset(field);
}

}  // namespace tfcompress::litert
