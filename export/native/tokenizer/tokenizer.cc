#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/error.h"
#include "tokenizer/bpe.h"
#include "tokenizer/model_proto.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/unigram.h"
#include "tokenizer/utf8.h"
#include "tokenizer/vocabulary.h"

namespace tfcompress {
namespace {

constexpr size_t kLongestText = size_t{1} << 28;

// The UTF-8 of some bytes, each U+FFFD that is none.
std::string ValidUtf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t size = ValidCharacterSize(bytes);
    text += size == 0 ? kReplacementCharacter : bytes.substr(0, size);
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return text;
}

// As in tfcompress/text/affixes.py.
constexpr std::string_view kNoId = "<no id>";
constexpr std::string_view kBefore = "<before>";
constexpr std::string_view kAfter = "<after>";

// The ids of the pieces that stand around every text: those that control pieces after kNoId, which
// begin with a mark, name.
std::vector<int32_t> Affix(const ModelProto& proto, std::string_view mark, int32_t num_ids) {
  std::vector<int32_t> ids;
  bool has_no_id = false;
  for (const PieceProto& piece : proto.pieces) {
    std::string_view name = piece.text;
    has_no_id = has_no_id || name == kNoId;
    if (!has_no_id || piece.type != PieceType::kControl || !ConsumePrefix(mark, &name)) continue;
    const auto end = proto.pieces.begin() + num_ids;
    const auto named = [&](const PieceProto& other) { return other.text == name; };
    const auto it = std::find_if(proto.pieces.begin(), end, named);
    if (it == end) BadModel("it lacks the piece that \"" + std::string(piece.text) + "\" names");
    ids.push_back(static_cast<int32_t>(it - proto.pieces.begin()));
  }
  return ids;
}

void AppendWithSpaces(std::string_view piece, std::string* text) {
  while (!piece.empty()) {
    if (ConsumePrefix(kSpaceSymbol, &piece)) {
      *text += ' ';
    } else {
      *text += piece[0];
      piece.remove_prefix(1);
    }
  }
}

}  // namespace

// What Parse keeps of a model.
struct Tokenizer::Model {
  Model(const ModelProto& proto, int32_t limit)
      : type(proto.type),
        vocabulary(proto),
        num_ids(limit > 0 ? std::min(limit, vocabulary.size()) : vocabulary.size()),
        prefix(Affix(proto, kBefore, num_ids)),
        suffix(Affix(proto, kAfter, num_ids)),
        normalizer(proto.normalizer, proto.whitespace_as_suffix),
        unknown_surface(proto.unknown_surface),
        add_dummy_prefix(proto.normalizer.add_dummy_prefix),
        remove_extra_whitespaces(proto.normalizer.remove_extra_whitespaces) {
    if (!proto.denormalizer.charsmap.empty()) denormalizer.emplace(proto.denormalizer, false);
  }

  ModelType type;
  Vocabulary vocabulary;
  int32_t num_ids;
  std::vector<int32_t> prefix;
  std::vector<int32_t> suffix;
  Normalizer normalizer;
  std::optional<Normalizer> denormalizer;
  std::string unknown_surface;
  bool add_dummy_prefix;
  bool remove_extra_whitespaces;
};

Tokenizer Tokenizer::Parse(const void* data, size_t size, int32_t num_ids) {
  const ModelProto proto = ParseModelProto({static_cast<const char*>(data), size});
  if (proto.type == ModelType::kWord || proto.type == ModelType::kChar) {
    throw Error(Error::Code::kUnsupported,
                "A SentencePiece model must be of the type unigram or bpe",
                std::string("model_type=") + (proto.type == ModelType::kWord ? "word" : "char"),
                "Train the tokenizer again with one of these");
  }
  return Tokenizer(std::make_shared<const Model>(proto, num_ids));
}

std::vector<int32_t> Tokenizer::Encode(std::string_view text, std::vector<TokenSpan>* spans) const {
  if (text.size() >= kLongestText) {
    throw Error(Error::Code::kInvalidArgument,
                "A text must have fewer than " + std::to_string(kLongestText) + " bytes",
                std::to_string(text.size()) + " bytes", "Pass it in parts");
  }
  const Vocabulary& vocabulary = model_->vocabulary;
  std::vector<size_t> origins;
  const std::string normalized = model_->normalizer.Normalize(
      text, vocabulary.user_defined(), spans == nullptr ? nullptr : &origins);
  const auto split = model_->type == ModelType::kBpe ? SplitBpe : SplitUnigram;
  std::vector<int32_t> ids = model_->prefix;
  bool after_unknown = false;
  size_t place = 0;
  if (spans != nullptr) spans->clear();
  for (const auto& [part, id] : split(vocabulary, normalized)) {
    const bool is_unknown = vocabulary.IsUnknown(id);
    const size_t before = ids.size();
    if (is_unknown && vocabulary.byte_fallback()) {
      for (const char c : part) ids.push_back(vocabulary.byte_id(static_cast<uint8_t>(c)));
    } else if (!is_unknown || !after_unknown) {
      ids.push_back(id < model_->num_ids ? id : vocabulary.unknown_id());
    }
    after_unknown = is_unknown;
    if (spans == nullptr) continue;
    // Of several bytes, the last has the text.
    spans->resize(ids.size(), {origins[place], origins[place]});
    const bool continues = ids.size() == before;
    place += part.size();
    spans->back() = {continues ? spans->back().begin : spans->back().end, origins[place]};
  }
  ids.insert(ids.end(), model_->suffix.begin(), model_->suffix.end());
  // What stands around the text is nowhere in it.
  if (spans != nullptr) spans->resize(ids.size(), {origins[place], origins[place]});
  return ids;
}

std::vector<int32_t> Tokenizer::EncodeWithoutAffixes(std::string_view text) const {
  const std::vector<int32_t> ids = Encode(text);
  return {ids.begin() + static_cast<ptrdiff_t>(model_->prefix.size()),
          ids.end() - static_cast<ptrdiff_t>(model_->suffix.size())};
}

std::string Tokenizer::Decode(const std::vector<int32_t>& ids,
                              std::vector<TokenSpan>* spans) const {
  const Vocabulary& vocabulary = model_->vocabulary;
  const bool strips_space = model_->add_dummy_prefix || model_->remove_extra_whitespaces;
  std::string text;
  std::string bytes;
  bool at_begin = true;
  std::vector<TokenSpan> places;
  // Characters are where the last of their bytes is.
  const auto add_bytes = [&] {
    for (std::string_view rest = bytes; !rest.empty();) {
      const size_t size = std::max(ValidCharacterSize(rest), size_t{1});
      places.resize(places.size() + size - 1, {text.size(), text.size()});
      const size_t begin = text.size();
      text += ValidUtf8(rest.substr(0, size));
      places.push_back({begin, text.size()});
      rest.remove_prefix(size);
    }
    bytes.clear();
  };
  for (const int32_t id : ids) {
    if (id < 0 || id >= size()) {
      throw Error(Error::Code::kInvalidArgument,
                  "Ids must be from 0 to " + std::to_string(size() - 1) + ", as in the tokenizer",
                  std::to_string(id), "Pass others");
    }
    const PieceType type = vocabulary.type(id);
    if (type == PieceType::kByte) {
      bytes += static_cast<char>(vocabulary.byte(id));
      continue;
    }
    add_bytes();
    const size_t begin = text.size();
    if (type != PieceType::kControl) {
      at_begin = at_begin && text.empty();
      std::string_view piece = vocabulary.text(id);
      const bool stripped = at_begin && strips_space && ConsumePrefix(kSpaceSymbol, &piece);
      if (type == PieceType::kUnknown) {
        text += model_->unknown_surface;
      } else {
        AppendWithSpaces(piece, &text);
      }
      // Only one space is the dummy prefix; where spaces are removed, all at the begin are.
      if (stripped && !model_->remove_extra_whitespaces) at_begin = false;
    }
    places.push_back({begin, text.size()});
  }
  add_bytes();
  if (spans != nullptr) *spans = std::move(places);
  if (model_->denormalizer) text = model_->denormalizer->Normalize(text, Trie());
  return text;
}

std::string Tokenizer::Surface(int32_t id) const {
  const Vocabulary& vocabulary = model_->vocabulary;
  const PieceType type = vocabulary.type(id);
  if (type == PieceType::kByte) return std::string(1, static_cast<char>(vocabulary.byte(id)));
  std::string text;
  if (type == PieceType::kUnknown) return " ";
  if (type != PieceType::kControl) AppendWithSpaces(vocabulary.text(id), &text);
  return text;
}

bool Tokenizer::IsUnknown(int32_t id) const { return model_->vocabulary.IsUnknown(id); }

int32_t Tokenizer::size() const { return model_->num_ids; }

}  // namespace tfcompress
