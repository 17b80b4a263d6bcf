#ifndef TFCOMPRESS_TOKENIZER_VOCABULARY_H_
#define TFCOMPRESS_TOKENIZER_VOCABULARY_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/model_proto.h"
#include "tokenizer/trie.h"

namespace tfcompress {

// A part of a normalized text and the id of its piece; -1 is unknown in a model that has no such
// piece.
struct Segment {
  std::string_view text;
  int32_t id;
};

// The pieces of a model.
class Vocabulary {
 public:
  // Copies the pieces and checks them as a whole. Throws Error (kBadBundle).
  explicit Vocabulary(const ModelProto& model);

  int32_t size() const { return static_cast<int32_t>(pieces_.size()); }
  std::string_view text(int32_t id) const { return pieces_[static_cast<size_t>(id)].text; }
  float score(int32_t id) const { return pieces_[static_cast<size_t>(id)].score; }
  PieceType type(int32_t id) const { return pieces_[static_cast<size_t>(id)].type; }

  // The id of the unknown piece; -1 if there is none.
  int32_t unknown_id() const { return unknown_id_; }
  // Whether an id stands for an unknown text.
  bool IsUnknown(int32_t id) const { return id < 0 || type(id) == PieceType::kUnknown; }

  // Whether unknown characters become one piece for each byte.
  bool byte_fallback() const { return byte_fallback_; }
  int32_t byte_id(uint8_t byte) const { return byte_ids_[byte]; }
  // The byte that a piece of type kByte stands for.
  uint8_t byte(int32_t id) const;

  // The pieces that text may be split into: normal, user-defined and unused ones.
  const Trie& pieces() const { return trie_; }
  // The pieces that are always kept whole.
  const Trie& user_defined() const { return user_defined_; }
  // The lowest score of a normal piece.
  float lowest_score() const { return lowest_score_; }

 private:
  struct Piece {
    std::string text;
    float score;
    PieceType type;
  };

  void AddUnknown(int32_t id);
  void AddByte(int32_t id);
  void CheckComplete() const;

  std::vector<Piece> pieces_;
  Trie trie_;
  Trie user_defined_;
  std::array<int32_t, 256> byte_ids_;
  int32_t unknown_id_ = -1;
  bool byte_fallback_;
  float lowest_score_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOKENIZER_VOCABULARY_H_
