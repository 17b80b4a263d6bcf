// SentencePiece models, each with a text and ids to try it on.

#include <iterator>

#include "fuzz/fuzz.h"
#include "tokenizer/tokenizer.h"

using tfcompress::Tokenizer;
using tfcompress::TokenSpan;
using tfcompress::fuzz::Refusable;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tfcompress::fuzz::Input input(data, size);
  const std::string_view text = input.TakeText();
  const std::vector<int32_t> ids = tfcompress::fuzz::TakeIds(&input, 64);
  const int32_t vocabulary = input.Take<uint8_t>();
  Refusable([&] {
    const std::string_view file = input.rest();
    const Tokenizer tokenizer = Tokenizer::Parse(file.data(), file.size(), vocabulary);
    std::vector<TokenSpan> spans;
    const std::vector<int32_t> encoded = tokenizer.Encode(text, &spans);
    if (spans.size() != encoded.size()) __builtin_trap();
    tokenizer.EncodeWithoutAffixes(text);
    tokenizer.Decode(encoded, &spans);
    Refusable([&] { tokenizer.Decode(ids); });
    for (int32_t id : encoded) tokenizer.Surface(id);
  });
  return 0;
}
