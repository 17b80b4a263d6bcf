// Manifests: JSON texts as each type of bundle reads them. Its values are replaced by others.

#include <iterator>

#include "common/bytes.h"
#include "common/json.h"
#include "fuzz/fuzz.h"
#include "runtime/files.h"
#include "runtime/language_model_bundle.h"
#include "runtime/text_encoder_bundle.h"
#include "runtime/translation_bundle.h"

using namespace tfcompress;

namespace {

constexpr size_t kFileBytes = 4096;

// The manifest, and whatever file it names.
class AnyFiles final : public Files {
 public:
  explicit AnyFiles(const Bytes& manifest) : manifest_(manifest) {}
  Bytes Open(const std::string& name) const override {
    return name == "manifest.json" ? manifest_ : others_;
  }
  uint64_t Size(const std::string& name) const override { return Open(name).size(); }
  std::string Name(const std::string& name) const override { return name; }

 private:
  Bytes manifest_;
  Bytes others_ = Bytes::Copy(std::string(kFileBytes, '\0').data(), kFileBytes);
};

// Where a value begins: after a colon, comma or bracket.
std::vector<size_t> ValuePlaces(std::string_view text) {
  std::vector<size_t> places;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) in_text = !in_text;
    if (!in_text && (text[i] == ':' || text[i] == ',' || text[i] == '[')) places.push_back(i + 1);
  }
  return places;
}

// Behind the value that begins at a place.
size_t ValueEnd(std::string_view text, size_t begin) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) in_text = !in_text;
    if (in_text) continue;
    if (depth == 0 && (text[i] == ',' || text[i] == ']' || text[i] == '}')) return i;
    if (text[i] == '[' || text[i] == '{') ++depth;
    if (text[i] == ']' || text[i] == '}') --depth;
  }
  return text.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const AnyFiles files(Bytes::Copy(data, size));
  fuzz::Refusable([&] { OpenTranslationBundle(files, false); });
  fuzz::Refusable([&] { OpenTextEncoderBundle(files, false); });
  fuzz::Refusable([&] { OpenLanguageModelBundle(files, false); });
  fuzz::Refusable([&] { BundleModelType(files); });
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  std::minstd_rand random(seed);
  std::string text(reinterpret_cast<const char*>(data), size);
  const std::vector<size_t> places = ValuePlaces(text);
  if (places.empty() || random() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  constexpr const char* kValues[] = {"0",    "1",          "-1",         "2",
                                     "4096", "2147483647", "2147483648", "9223372036854775807",
                                     "1e99", "0.5",        "true",       "false",
                                     "null", "\"\"",       "\"a\"",      "[]",
                                     "{}",   "[[]]",       "[1]",        "{\"a\":1}",
                                     "[-1]", "[\"ids\"]",  "1e999",      "\"\\ud800\""};
  const size_t begin = places[random() % places.size()];
  const size_t end = ValueEnd(text, begin);
  const size_t other = places[random() % places.size()];
  switch (random() % 4) {
    case 0:  // Another value.
      text.replace(begin, end - begin, kValues[random() % std::size(kValues)]);
      break;
    case 1:  // One from elsewhere.
      text.replace(begin, end - begin, text.substr(other, ValueEnd(text, other) - other));
      break;
    case 2:  // Twice.
      text.insert(end, "," + text.substr(begin, end - begin));
      break;
    default:  // None, with the comma before it.
      if (begin > 0) text.erase(begin - 1, end - begin + 1);
  }
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
