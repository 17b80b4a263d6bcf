#include "tokenizer/tokenizer_c.h"

#include <algorithm>
#include <exception>
#include <string_view>

#include "tokenizer/tokenizer.h"

struct tfc_tokenizer {
  tfcompress::Tokenizer tokenizer;
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

}  // namespace

tfc_tokenizer* tfc_tokenizer_open(const void* data, size_t size, char* error, size_t error_size) {
  const auto open = [&] { return new tfc_tokenizer{tfcompress::Tokenizer::Parse(data, size)}; };
  return Guard(open, static_cast<tfc_tokenizer*>(nullptr), error, error_size);
}

int64_t tfc_tokenizer_encode(const tfc_tokenizer* tokenizer, const char* text, size_t size,
                             int32_t* ids, size_t capacity, char* error, size_t error_size) {
  const auto encode = [&] {
    const auto found = tokenizer->tokenizer.Encode({text, size});
    std::copy_n(found.begin(), std::min(found.size(), capacity), ids);
    return static_cast<int64_t>(found.size());
  };
  return Guard(encode, int64_t{-1}, error, error_size);
}

int64_t tfc_tokenizer_decode(const tfc_tokenizer* tokenizer, const int32_t* ids, size_t count,
                             char* text, size_t capacity, char* error, size_t error_size) {
  const auto decode = [&] {
    const auto found = tokenizer->tokenizer.Decode({ids, ids + count});
    found.copy(text, capacity);
    return static_cast<int64_t>(found.size());
  };
  return Guard(decode, int64_t{-1}, error, error_size);
}

int32_t tfc_tokenizer_size(const tfc_tokenizer* tokenizer) { return tokenizer->tokenizer.size(); }

void tfc_tokenizer_close(tfc_tokenizer* tokenizer) { delete tokenizer; }
