#include "tokenizer/tokenizer_c.h"

#include <algorithm>
#include <exception>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "tokenizer/text_tokenizer.h"
#include "tokenizer/tokenizer.h"

struct tfc_tokenizer {
  tfcompress::Tokenizer tokenizer;
};

struct tfc_text_tokenizer {
  tfcompress::TextTokenizer tokenizer;
};

namespace {

// Calls a function; on an exception writes its message and returns `failed` instead.
template <typename Function, typename Result>
Result Guard(Function function, Result failed, char* error, size_t error_size) {
  try {
    return function();
  } catch (const std::exception& exception) {
    const std::string_view message = exception.what();
    if (error_size > 0) error[message.copy(error, error_size - 1)] = '\0';
    return failed;
  }
}

template <typename Tokenizer>
int64_t Encode(const Tokenizer& tokenizer, std::string_view text, int32_t* ids, size_t capacity,
               char* error, size_t error_size) {
  const auto encode = [&] {
    const auto encoded = tokenizer.Encode(text);
    std::copy_n(encoded.begin(), std::min(encoded.size(), capacity), ids);
    return static_cast<int64_t>(encoded.size());
  };
  return Guard(encode, int64_t{-1}, error, error_size);
}

template <typename Tokenizer>
int64_t Decode(const Tokenizer& tokenizer, const std::vector<int32_t>& ids, char* text,
               size_t capacity, char* error, size_t error_size) {
  const auto decode = [&] {
    const auto decoded = tokenizer.Decode(ids);
    decoded.copy(text, capacity);
    return static_cast<int64_t>(decoded.size());
  };
  return Guard(decode, int64_t{-1}, error, error_size);
}

// Writes the spans that a function gives.
template <typename Function>
int64_t Spans(Function function, size_t* spans, size_t capacity, char* error, size_t error_size) {
  const auto write = [&] {
    std::vector<tfcompress::TokenSpan> found;
    function(&found);
    for (size_t i = 0; i < std::min(found.size(), capacity); ++i) {
      spans[2 * i] = found[i].begin;
      spans[2 * i + 1] = found[i].end;
    }
    return static_cast<int64_t>(found.size());
  };
  return Guard(write, int64_t{-1}, error, error_size);
}

}  // namespace

tfc_tokenizer* tfc_tokenizer_open(const void* data, size_t size, char* error, size_t error_size) {
  const auto open = [&] { return new tfc_tokenizer{tfcompress::Tokenizer::Parse(data, size)}; };
  return Guard(open, static_cast<tfc_tokenizer*>(nullptr), error, error_size);
}

tfc_text_tokenizer* tfc_text_tokenizer_open(const char* settings, size_t settings_size,
                                            const void* first, size_t first_size,
                                            const void* second, size_t second_size, char* error,
                                            size_t error_size) {
  const auto open = [&] {
    const auto read = tfcompress::TextSettings::Read(
        tfcompress::json::Parse(std::string_view(settings, settings_size), "settings"));
    std::vector<std::string_view> files = {{static_cast<const char*>(first), first_size}};
    if (second != nullptr) files.emplace_back(static_cast<const char*>(second), second_size);
    return new tfc_text_tokenizer{tfcompress::TextTokenizer::Parse(read, files)};
  };
  return Guard(open, static_cast<tfc_text_tokenizer*>(nullptr), error, error_size);
}

int64_t tfc_tokenizer_encode(const tfc_tokenizer* tokenizer, const char* text, size_t size,
                             int32_t* ids, size_t capacity, char* error, size_t error_size) {
  return Encode(tokenizer->tokenizer, {text, size}, ids, capacity, error, error_size);
}

int64_t tfc_text_tokenizer_encode(const tfc_text_tokenizer* tokenizer, const char* text,
                                  size_t size, int32_t* ids, size_t capacity, char* error,
                                  size_t error_size) {
  return Encode(tokenizer->tokenizer, {text, size}, ids, capacity, error, error_size);
}

int64_t tfc_tokenizer_decode(const tfc_tokenizer* tokenizer, const int32_t* ids, size_t count,
                             char* text, size_t capacity, char* error, size_t error_size) {
  return Decode(tokenizer->tokenizer, {ids, ids + count}, text, capacity, error, error_size);
}

int64_t tfc_text_tokenizer_decode(const tfc_text_tokenizer* tokenizer, const int32_t* ids,
                                  size_t count, char* text, size_t capacity, char* error,
                                  size_t error_size) {
  return Decode(tokenizer->tokenizer, {ids, ids + count}, text, capacity, error, error_size);
}

int64_t tfc_tokenizer_encode_spans(const tfc_tokenizer* tokenizer, const char* text, size_t size,
                                   size_t* spans, size_t capacity, char* error, size_t error_size) {
  const auto encode = [&](auto* found) { tokenizer->tokenizer.Encode({text, size}, found); };
  return Spans(encode, spans, capacity, error, error_size);
}

int64_t tfc_tokenizer_decode_spans(const tfc_tokenizer* tokenizer, const int32_t* ids, size_t count,
                                   size_t* spans, size_t capacity, char* error, size_t error_size) {
  const auto decode = [&](auto* found) { tokenizer->tokenizer.Decode({ids, ids + count}, found); };
  return Spans(decode, spans, capacity, error, error_size);
}

int32_t tfc_tokenizer_size(const tfc_tokenizer* tokenizer) { return tokenizer->tokenizer.size(); }

int32_t tfc_text_tokenizer_size(const tfc_text_tokenizer* tokenizer) {
  return tokenizer->tokenizer.size();
}

void tfc_tokenizer_close(tfc_tokenizer* tokenizer) { delete tokenizer; }

void tfc_text_tokenizer_close(tfc_text_tokenizer* tokenizer) { delete tokenizer; }
