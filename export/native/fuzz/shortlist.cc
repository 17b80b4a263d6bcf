// Shortlists, for the vocabularies that the first four bytes say.

#include "runtime/shortlist.h"

#include <iterator>

#include "common/bytes.h"
#include "fuzz/fuzz.h"

using tfcompress::Shortlist;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tfcompress::fuzz::Refusable([&] {
    tfcompress::fuzz::Input input(data, size);
    const int32_t source = input.Take<uint16_t>(), target = input.Take<uint16_t>();
    const std::string_view file = input.rest();
    const Shortlist shortlist = Shortlist::Parse(tfcompress::Bytes::Copy(file.data(), file.size()),
                                                 "shortlist", source, target);
    for (int32_t id = -1; id <= source; ++id) {
      tfcompress::fuzz::Refusable([&] {
        for (int32_t candidate : shortlist.Candidates({id, 0})) {
          if (candidate < 0 || candidate >= target) __builtin_trap();
        }
      });
    }
  });
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return tfcompress::fuzz::MutateWords(data, size, max_size, seed);
}
