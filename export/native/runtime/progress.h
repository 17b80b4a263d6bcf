#ifndef TFCOMPRESS_RUNTIME_PROGRESS_H_
#define TFCOMPRESS_RUNTIME_PROGRESS_H_

#include <cstddef>
#include <functional>
#include <utility>

#include "common/cancellation.h"

namespace tfcompress {

// Tells how far a text is, after each token and each part of it.
class Progress {
 public:
  // Says whether to go on.
  using Callback = std::function<bool(const Progress&)>;

  explicit Progress(Callback callback) : callback_(std::move(callback)) {}

  void Begin(size_t parts) { parts_ = parts; }
  // All that follow throw Error (kCancelled) where the callback says so.
  void AddToken() {
    ++tokens_;
    Tell();
  }
  // `text` is what the translation goes on with, or null where that is not known.
  void FinishPart(const char* text) {
    ++parts_done_;
    text_ = text;
    Tell();
    text_ = nullptr;
  }

  size_t tokens() const { return tokens_; }
  size_t parts() const { return parts_; }
  size_t parts_done() const { return parts_done_; }
  const char* text() const { return text_; }

 private:
  void Tell() const {
    if (!callback_(*this)) Cancellation::Throw();
  }

  Callback callback_;
  size_t tokens_ = 0;
  size_t parts_ = 0;
  size_t parts_done_ = 0;
  const char* text_ = nullptr;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_PROGRESS_H_
