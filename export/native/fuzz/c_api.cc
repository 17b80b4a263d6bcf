// The C interface: a translator of the bundle in TFCOMPRESS_FUZZ_BUNDLE is called with whatever
// options, texts and ids the input says. Pointers are null or right, as C cannot tell otherwise.

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "fuzz/fuzz.h"
#include "tfcompress.h"

using tfcompress::fuzz::Input;

namespace {

// What does not end by itself in time is cancelled.
constexpr size_t kMostTokens = 200;

int32_t GoOn(const tfc_progress* progress) { return progress->num_tokens > kMostTokens; }

tfc_translator* Opened() {
  const char* const folder = std::getenv("TFCOMPRESS_FUZZ_BUNDLE");
  tfc_translator* translator = nullptr;
  if (folder == nullptr || tfc_open(folder, nullptr, &translator) != TFC_OK) {
    std::fprintf(stderr, "TFCOMPRESS_FUZZ_BUNDLE: %s\n", folder ? tfc_last_error() : "none");
    std::exit(2);
  }
  return translator;
}

// Mostly small numbers, sometimes any.
int32_t TakeNumber(Input* input) {
  const auto number = input->Take<int8_t>();
  return number == -128 ? input->Take<int32_t>() : number;
}

void CheckResult(tfc_status status, const tfc_result* result) {
  if (status < TFC_OK || status > TFC_BUSY || status == TFC_RUNTIME) std::abort();
  if ((status == TFC_OK) != (tfc_last_error()[0] == '\0')) std::abort();
  for (size_t i = 0; status == TFC_OK && i <= result->num_hypotheses; ++i) {
    const int32_t* ids = nullptr;
    const double* scores = nullptr;
    const float* weights = nullptr;
    size_t count = 0, rows = 0, columns = 0;
    double quality = 0;
    const tfc_status expected = i < result->num_hypotheses ? TFC_OK : TFC_INVALID_ARGUMENT;
    if (tfc_token_scores(result, i, &ids, &scores, &count) != expected ||
        tfc_alignment(result, i, &weights, &rows, &columns) != expected ||
        tfc_quality(result, i, &quality) != expected) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static tfc_translator* const translator = Opened();
  Input input(data, size);
  const auto kind = input.Take<uint8_t>();
  // Longer than this version's, so that it may be of any other.
  struct {
    tfc_search known;
    unsigned char later[64];
  } search = {TFC_DEFAULT_SEARCH, {}};
  search.known.struct_size = kind & 1 ? input.Take<uint8_t>() * 8u : sizeof(tfc_search);
  if (search.known.struct_size > sizeof(search)) search.known.struct_size = sizeof(search);
  search.later[0] = kind & 2 ? 1 : 0;
  search.known.beam_size = TakeNumber(&input);
  search.known.n_best = TakeNumber(&input);
  search.known.max_length = TakeNumber(&input);
  search.known.split = TakeNumber(&input);
  search.known.with_scores = TakeNumber(&input);
  search.known.length_penalty = kind & 4 ? input.Take<double>() : 1;
  // So large a beam takes its time.
  if (search.known.beam_size > 8 && search.known.beam_size <= 1000) search.known.beam_size %= 8;
  const std::string prefix(input.TakeText());
  if (kind & 8) search.known.target_prefix = prefix.c_str();
  const std::vector<int32_t> prefix_ids = tfcompress::fuzz::TakeIds(&input, 80);
  search.known.target_prefix_ids = {prefix_ids.data(), prefix_ids.size()};
  const std::string word(input.TakeText());
  const char* const words[] = {word.c_str(), kind & 16 ? nullptr : "dogs"};
  search.known.banned_words = words;
  search.known.num_banned_words = input.Take<uint8_t>() % 3;
  const std::vector<int32_t> banned = tfcompress::fuzz::TakeIds(&input, 8);
  const tfc_ids banned_ids = {banned.data(), banned.size()};
  search.known.banned_ids = &banned_ids;
  search.known.num_banned_ids = kind & 32 ? 1 : 0;
  search.known.split_sentences = input.Take<uint8_t>() % 2;
  search.known.markup = input.Take<uint8_t>() % 2;
  search.known.on_progress = GoOn;
  // A program of an earlier version has no callback.
  if (search.known.struct_size < sizeof(tfc_search)) search.known.struct_size = sizeof(size_t);
  const std::vector<int32_t> ids = tfcompress::fuzz::TakeIds(&input, 80);
  const std::string_view text = input.rest();

  tfc_result* result = nullptr;
  tfc_status status = TFC_OK;
  if (kind & 64) {
    status = tfc_translate_ids(translator, ids.data(), ids.size(), &search.known, &result);
  } else {
    status = tfc_translate(translator, text.data(), text.size(), &search.known, &result);
  }
  CheckResult(status, result);
  tfc_free_result(result);
  result = nullptr;
  CheckResult(tfc_tokenize(translator, text.data(), text.size(), &result), result);
  tfc_free_result(result);
  return 0;
}
