#ifndef TFCOMPRESS_TOKENIZER_WIRE_READER_H_
#define TFCOMPRESS_TOKENIZER_WIRE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tfcompress {

// How the value of a protobuf field is stored.
enum class WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

// What begins a field: its number and how its value is stored.
constexpr uint32_t Tag(uint32_t number, WireType type) {
  return number << 3 | static_cast<uint32_t>(type);
}

// A field of a protobuf message: `number` holds a varint or fixed value, `bytes` a text or message.
struct WireField {
  uint32_t tag = 0;
  uint64_t number = 0;
  std::string_view bytes;
};

// Goes through the fields of a protobuf message; throws Error (kBadBundle) where it is malformed.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  // Reads the next field, groups skipped; false at the end of the message.
  bool Next(WireField* field);

 private:
  WireField ReadField();
  uint64_t ReadVarint(int most_bytes);
  uint64_t ReadFixed(size_t size);
  std::string_view Take(uint64_t size);

  std::string_view rest_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_WIRE_READER_H_
