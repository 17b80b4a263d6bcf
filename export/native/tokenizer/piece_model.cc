#include "tokenizer/piece_model.h"

#include <unordered_map>

#include "tokenizer/published_bpe.h"
#include "tokenizer/published_unigram.h"
#include "tokenizer/published_wordpiece.h"

namespace tfcompress {
namespace {

// Above the sizes of all that is published, so that a damaged file cannot take all memory.
constexpr size_t kMostPieces = size_t{1} << 24;

}  // namespace

std::unique_ptr<const PieceModel> ReadPieceModel(const json::Value& value) {
  const SettingsReader part(value);
  const std::string& type = part.Text("type");
  if (type == "WordPiece") return std::make_unique<const PublishedWordPiece>(part);
  if (type == "BPE") return std::make_unique<const PublishedBpe>(part);
  if (type == "Unigram") return std::make_unique<const PublishedUnigram>(part);
  BadTokenizer("its model is a " + type);
}

std::vector<std::string> ReadVocabulary(const SettingsReader& part) {
  const auto& vocabulary = part.Get<json::Object>("vocab", "object");
  const SettingsReader ids(part.Find("vocab"));
  std::vector<std::string> pieces;
  for (const auto& [piece, number] : vocabulary) {
    const auto id = static_cast<size_t>(ids.Id(piece));
    if (id >= kMostPieces) BadTokenizer("the piece \"" + piece + "\" has a very high id");
    if (id >= pieces.size()) pieces.resize(id + 1);
    pieces[id] = piece;
  }
  return pieces;
}

std::vector<Trie::Entry> PieceEntries(const std::vector<std::string>& pieces) {
  std::unordered_map<std::string_view, int32_t> ids;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (!pieces[id].empty()) ids[pieces[id]] = static_cast<int32_t>(id);
  }
  return {ids.begin(), ids.end()};
}

}  // namespace tfcompress
