// HTML and XML: taken apart, and put together with translations of which the input says how long
// they are and how they are aligned.

#include "runtime/markup.h"

#include <iterator>
#include <string>
#include <utility>

#include "fuzz/fuzz.h"
#include "runtime/ids.h"
#include "tokenizer/unicode.h"

using namespace tfcompress;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const auto pattern = input.Take<uint32_t>();
  fuzz::Refusable([&] {
    CheckUtf8(input.rest());
    const MarkupDocument document = MarkupDocument::Parse(input.rest());
    std::minstd_rand random(pattern);
    std::vector<TranslatedSegment> translations;
    for (const MarkupSegment& segment : document.segments()) {
      const size_t source = segment.text.size(), target = random() % (source + 4);
      TranslatedSegment translation = {std::u32string(target, U'x'), {}};
      AlignedPart part = {{0, source}, {0, target}, {}, {}, {}};
      const auto tokens = [&](size_t length, std::vector<TextSpan>* spans) {
        for (size_t begin = 0; begin < length;) {
          const size_t end = std::min(length, begin + 1 + random() % 5);
          spans->push_back({begin, end});
          begin = end;
        }
      };
      tokens(source, &part.source_tokens);
      tokens(target, &part.target_tokens);
      for (size_t i = 0; i < part.source_tokens.size() * part.target_tokens.size(); ++i) {
        part.weights.push_back(static_cast<double>(random() % 5) / 4);
      }
      translation.alignment.push_back(std::move(part));
      translations.push_back(std::move(translation));
    }
    document.Join(translations);
  });
  return 0;
}
