#include "tokenizer/wire_reader.h"

#include <string>
#include <vector>

#include "tokenizer/model_proto.h"

namespace tfcompress {
namespace {

// The longest varints that protobuf reads; the size of a field is limited as its tag is.
constexpr int kMostTagBytes = 5;
constexpr int kMostNumberBytes = 10;

WireType TypeOf(uint32_t tag) { return static_cast<WireType>(tag & 7); }

}  // namespace

bool WireReader::Next(WireField* field) {
  std::vector<uint32_t> open_groups;
  while (!rest_.empty() || !open_groups.empty()) {
    *field = ReadField();
    const uint32_t number = field->tag >> 3;
    if (TypeOf(field->tag) == WireType::kStartGroup) {
      open_groups.push_back(number);
    } else if (TypeOf(field->tag) == WireType::kEndGroup) {
      if (open_groups.empty() || open_groups.back() != number) BadModel("a group ends unbegun");
      open_groups.pop_back();
    } else if (open_groups.empty()) {
      return true;
    }
  }
  return false;
}

WireField WireReader::ReadField() {
  WireField field;
  field.tag = static_cast<uint32_t>(ReadVarint(kMostTagBytes));
  if (field.tag >> 3 == 0) BadModel("no field has the number 0");
  switch (TypeOf(field.tag)) {
    case WireType::kVarint:
      field.number = ReadVarint(kMostNumberBytes);
      break;
    case WireType::kFixed64:
      field.number = ReadFixed(8);
      break;
    case WireType::kFixed32:
      field.number = ReadFixed(4);
      break;
    case WireType::kBytes:
      field.bytes = Take(ReadVarint(kMostTagBytes));
      break;
    case WireType::kStartGroup:
    case WireType::kEndGroup:
      break;
    default:
      BadModel("no field has the type " + std::to_string(field.tag & 7));
  }
  return field;
}

uint64_t WireReader::ReadVarint(int most_bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 7 * most_bytes; shift += 7) {
    const auto byte = static_cast<uint8_t>(Take(1)[0]);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  BadModel("a number has more than " + std::to_string(most_bytes) + " bytes");
}

uint64_t WireReader::ReadFixed(size_t size) {
  const std::string_view bytes = Take(size);
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return value;
}

std::string_view WireReader::Take(uint64_t size) {
  if (size > rest_.size()) {
    BadModel("a field wants " + std::to_string(size) + " bytes where " +
             std::to_string(rest_.size()) + " are left");
  }
  const std::string_view taken = rest_.substr(0, static_cast<size_t>(size));
  rest_.remove_prefix(taken.size());
  return taken;
}

}  // namespace tfcompress
