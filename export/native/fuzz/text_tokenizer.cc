// The tokenizers of text encoders: their settings, as a manifest has them, their files, and a text
// to try them on.

#include "tokenizer/text_tokenizer.h"

#include <iterator>

#include "common/json.h"
#include "fuzz/fuzz.h"

using tfcompress::TextSettings;
using tfcompress::TextTokenizer;
using tfcompress::fuzz::Refusable;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tfcompress::fuzz::Input input(data, size);
  const std::string_view settings = input.TakeText(), text = input.TakeText();
  const std::vector<int32_t> ids = tfcompress::fuzz::TakeIds(&input, 64);
  Refusable([&] {
    const TextSettings read = TextSettings::Read(tfcompress::json::Parse(settings, "settings"));
    std::vector<std::string_view> files;
    // The last one is what is left.
    for (size_t left = read.FileNames().size(); left > 1; --left) files.push_back(input.TakeText());
    files.push_back(input.rest());
    const TextTokenizer tokenizer = TextTokenizer::Parse(read, files);
    tokenizer.Decode(tokenizer.Encode(text));
    Refusable([&] { tokenizer.Decode(ids); });
  });
  return 0;
}
