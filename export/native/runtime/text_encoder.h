#ifndef TFCOMPRESS_RUNTIME_TEXT_ENCODER_H_
#define TFCOMPRESS_RUNTIME_TEXT_ENCODER_H_

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "litert/api.h"
#include "litert/model.h"
#include "runtime/text_encoder_bundle.h"
#include "tokenizer/text_tokenizer.h"

namespace tfcompress {

// A result of one text: rows of numbers, one row for the text or one for each id.
struct Rows {
  size_t rows;
  size_t width;
  std::vector<float> values;
};
using Encoding = std::map<std::string, Rows>;

// Runs a text encoder on one text at a time. Gives what the Python runtime gives.
class TextEncoder {
 public:
  // Throws Error if the bundle needs operations that are unavailable, does not load, or its model
  // is not the one that the manifest describes. What LiteRT's operations take is added to
  // `profile`, unless it is null.
  TextEncoder(const litert::Api& api, TextEncoderBundle bundle, int num_threads,
              litert::Profile* profile = nullptr);

  // The ids of a text, however long, begin and end included. Throws Error (kInvalidArgument) for
  // text that is not UTF-8 and where the bundle has no tokenizer.
  std::vector<int32_t> Tokenize(std::string_view text) const;
  // The same, but longer texts than the bundle's limit are cut, or an error.
  std::vector<int32_t> Fitting(std::string_view text, bool cut) const;

  // Cuts off the padding at the end of ids, and the types of it. Throws Error (kInvalidArgument)
  // for padding before other ids, and for more or fewer types than ids.
  void CutPadding(std::vector<int32_t>* ids, std::vector<int32_t>* types) const;

  // The results of a text's ids, begin and end included. No types mean 0 for each. Throws Error
  // (kInvalidArgument) for ids or types that the model has not, and for none or too many.
  Encoding Run(const std::vector<int32_t>& ids, const std::vector<int32_t>& types = {});

  Cancellation& cancellation() { return model_.cancellation(); }
  const TextEncoderBundle& bundle() const { return bundle_; }

 private:
  // The buffers for one length.
  struct Kept {
    int32_t length;
    litert::Buffers inputs;
    litert::Buffers outputs;
  };

  void CheckIds(const std::vector<int32_t>& ids, const std::vector<int32_t>& types) const;
  [[noreturn]] void FailTooLong(size_t num_ids, const char* remedy) const;
  const Kept& Use(int32_t length);

  TextEncoderBundle bundle_;
  std::optional<TextTokenizer> tokenizer_;
  litert::Model model_;
  litert::Model::Signature signature_;
  std::vector<std::string> inputs_;
  std::list<Kept> kept_;  // Those used last, the latest in front.
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TEXT_ENCODER_H_
