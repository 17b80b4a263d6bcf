#include "tokenizer/published_decoder.h"

#include <string_view>

#include "tokenizer/byte_letters.h"
#include "tokenizer/settings_reader.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace tfcompress {
namespace {

std::string Replaced(std::string_view text, std::string_view old, std::string_view changed) {
  std::string replaced;
  while (!text.empty()) {
    if (ConsumePrefix(old, &text)) {
      replaced += changed;
    } else {
      replaced += text[0];
      text.remove_prefix(1);
    }
  }
  return replaced;
}

// Draws marks and English endings to the word before.
std::string CleanedUp(std::string text) {
  static constexpr std::string_view kChanges[][2] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [old, changed] : kChanges) text = Replaced(text, old, changed);
  return text;
}

std::string JoinWordPieces(const SettingsReader& part, const std::vector<std::string>& pieces) {
  const std::string& prefix = part.Text("prefix");
  const bool is_cleaned = part.Flag("cleanup");
  std::string text;
  for (size_t i = 0; i < pieces.size(); ++i) {
    std::string_view rest = pieces[i];
    const bool continues = i > 0 && ConsumePrefix(prefix, &rest);
    const std::string piece = std::string(i == 0 || continues ? "" : " ") + std::string(rest);
    text += is_cleaned ? CleanedUp(piece) : piece;
  }
  return text;
}

std::string JoinMetaspace(const SettingsReader& part, const std::vector<std::string>& pieces) {
  const std::string& mark = part.Text("replacement");
  const bool is_prefixed = part.Text("prepend_scheme") != "never";
  std::string text;
  for (size_t i = 0; i < pieces.size(); ++i) {
    text += Replaced(pieces[i], mark, i == 0 && is_prefixed ? "" : " ");
  }
  return text;
}

}  // namespace

std::string JoinPieces(const json::Value& decoder, std::vector<std::string> pieces) {
  std::string text;
  if (decoder.IsNull()) {
    for (const std::string& piece : pieces) text += (&piece == &pieces[0] ? "" : " ") + piece;
    return text;
  }
  const SettingsReader part(decoder);
  const std::string& type = part.Text("type");
  if (type == "WordPiece") return JoinWordPieces(part, pieces);
  if (type == "Metaspace") return JoinMetaspace(part, pieces);
  if (type != "ByteLevel") BadTokenizer("its decoder is a " + type);
  for (const std::string& piece : pieces) text += LetterBytes(piece);
  return ValidText(text);
}

}  // namespace tfcompress
