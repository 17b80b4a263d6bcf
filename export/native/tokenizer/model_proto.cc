#include "tokenizer/model_proto.h"

#include <cstring>

#include "common/error.h"
#include "tokenizer/wire_reader.h"

namespace tfcompress {
namespace {

// Protobuf keeps the field's earlier value where an enum's number is unknown.
template <typename Enum>
void SetEnum(uint64_t number, Enum last, Enum* value) {
  const auto truncated = static_cast<uint32_t>(number);
  if (truncated >= 1 && truncated <= static_cast<uint32_t>(last)) {
    *value = static_cast<Enum>(truncated);
  }
}

PieceProto ParsePiece(std::string_view bytes) {
  PieceProto piece;
  WireReader reader(bytes);
  WireField field;
  while (reader.Next(&field)) {
    switch (field.tag) {
      case Tag(1, WireType::kBytes):
        piece.text = field.bytes;
        break;
      case Tag(2, WireType::kFixed32): {
        const auto bits = static_cast<uint32_t>(field.number);
        std::memcpy(&piece.score, &bits, sizeof(bits));
        break;
      }
      case Tag(3, WireType::kVarint):
        SetEnum(field.number, PieceType::kByte, &piece.type);
        break;
      default:
        break;
    }
  }
  return piece;
}

void ParseTrainer(std::string_view bytes, ModelProto* model) {
  WireReader reader(bytes);
  WireField field;
  while (reader.Next(&field)) {
    switch (field.tag) {
      case Tag(3, WireType::kVarint):
        SetEnum(field.number, ModelType::kChar, &model->type);
        break;
      case Tag(24, WireType::kVarint):
        model->whitespace_as_suffix = field.number != 0;
        break;
      case Tag(35, WireType::kVarint):
        model->byte_fallback = field.number != 0;
        break;
      case Tag(44, WireType::kBytes):
        model->unknown_surface = field.bytes;
        break;
      default:
        break;
    }
  }
}

void ParseNormalizer(std::string_view bytes, NormalizerProto* normalizer) {
  WireReader reader(bytes);
  WireField field;
  while (reader.Next(&field)) {
    switch (field.tag) {
      case Tag(2, WireType::kBytes):
        normalizer->charsmap = field.bytes;
        break;
      case Tag(3, WireType::kVarint):
        normalizer->add_dummy_prefix = field.number != 0;
        break;
      case Tag(4, WireType::kVarint):
        normalizer->remove_extra_whitespaces = field.number != 0;
        break;
      case Tag(5, WireType::kVarint):
        normalizer->escape_whitespaces = field.number != 0;
        break;
      default:
        break;
    }
  }
}

}  // namespace

void BadModel(const std::string& cause) {
  throw Error(Error::Code::kBadBundle, "The SentencePiece model cannot be used", cause, kCopyAgain);
}

ModelProto ParseModelProto(std::string_view bytes) {
  if (bytes.size() > INT32_MAX) BadModel(std::to_string(bytes.size()) + " bytes are too many");
  ModelProto model;
  WireReader reader(bytes);
  WireField field;
  while (reader.Next(&field)) {
    switch (field.tag) {
      case Tag(1, WireType::kBytes):
        model.pieces.push_back(ParsePiece(field.bytes));
        break;
      case Tag(2, WireType::kBytes):
        ParseTrainer(field.bytes, &model);
        break;
      case Tag(3, WireType::kBytes):
        ParseNormalizer(field.bytes, &model.normalizer);
        break;
      case Tag(5, WireType::kBytes):
        ParseNormalizer(field.bytes, &model.denormalizer);
        break;
      default:
        break;
    }
  }
  return model;
}

}  // namespace tfcompress
