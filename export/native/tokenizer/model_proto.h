#ifndef TFCOMPRESS_TOKENIZER_MODEL_PROTO_H_
#define TFCOMPRESS_TOKENIZER_MODEL_PROTO_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tfcompress {

// Throws Error (kBadBundle) that says why a tokenizer model cannot be used.
[[noreturn]] void BadModel(const std::string& cause);

// What a piece is for; the numbers are those of sentencepiece_model.proto.
enum class PieceType : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

// How text is split; the numbers are those of sentencepiece_model.proto.
enum class ModelType : uint8_t { kUnigram = 1, kBpe = 2, kWord = 3, kChar = 4 };

// One entry of the vocabulary.
struct PieceProto {
  std::string_view text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

// How text is changed before it is split, or after it was joined.
struct NormalizerProto {
  std::string_view charsmap;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

// The part of sentencepiece_model.proto that tokenizing needs. Texts are views into the bytes that
// were parsed.
struct ModelProto {
  std::vector<PieceProto> pieces;
  ModelType type = ModelType::kUnigram;
  bool whitespace_as_suffix = false;
  bool byte_fallback = false;
  std::string_view unknown_surface = " \xE2\x81\x87 ";
  NormalizerProto normalizer;
  NormalizerProto denormalizer;
};

// Reads a serialized model. Throws Error (kBadBundle) if it is truncated or no protobuf.
ModelProto ParseModelProto(std::string_view bytes);

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_MODEL_PROTO_H_
