// Texts: split into lines, sentences and parts that fit, and joined again.

#include "runtime/splitting.h"

#include <iterator>

#include "fuzz/fuzz.h"
#include "runtime/ids.h"
#include "tokenizer/unicode.h"

using namespace tfcompress;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t most = input.Take<uint8_t>();
  const std::string text(input.rest());
  fuzz::Refusable([&] {
    CheckUtf8(text);
    const auto fits = [&](std::string_view part) { return part.size() <= most; };
    for (const std::vector<Part>& parts : {SplitLines(text), SplitSentences(text)}) {
      std::vector<size_t> begins;
      if (JoinTexts(parts, &begins).size() > 2 * text.size() + 1) __builtin_trap();
      for (const Part& part : parts) SplitText(part.text, fits);
    }
  });
  return 0;
}
