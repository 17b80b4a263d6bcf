#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/last_error.h"
#include "runtime/c_handles.h"
#include "runtime/probabilities.h"
#include "runtime/text_encoder.h"
#include "tfcompress.h"

using tfcompress::Guarded;
using tfcompress::Require;
using tfcompress::RequirePointers;

struct tfc_encoder {
  tfcompress::TextEncoder encoder;
  std::atomic<bool> is_busy{false};
};

namespace {

// Results and what they point to.
struct OwnedEncoding : tfc_encoding {
  std::vector<int32_t> owned_ids;
  tfcompress::Encoding results;
  std::vector<tfc_output> views;
  std::vector<const tfc_output*> pointers;
};

void Open(const tfcompress::Files& files, const tfc_options* options, tfc_encoder** handle) {
  tfcompress::OpenHandle<tfc_encoder, tfcompress::TextEncoder>(
      files, options, tfcompress::OpenTextEncoderBundle, handle);
}

tfc_encoding* NewEncoding(std::vector<int32_t> ids, tfcompress::Encoding results) {
  auto owned = std::make_unique<OwnedEncoding>();
  owned->owned_ids = std::move(ids);
  owned->results = std::move(results);
  for (const auto& [name, rows] : owned->results) {
    owned->views.push_back(
        {sizeof(tfc_output), name.c_str(), rows.rows, rows.width, rows.values.data()});
  }
  owned->struct_size = sizeof(tfc_encoding);
  owned->num_ids = owned->owned_ids.size();
  owned->ids = owned->owned_ids.data();
  owned->num_outputs = owned->views.size();
  owned->pointers = tfcompress::PointersTo(owned->views);
  owned->outputs = owned->pointers.data();
  return owned.release();
}

}  // namespace

tfc_status tfc_open_encoder(const char* folder, const tfc_options* options, tfc_encoder** encoder) {
  return Guarded([&] {
    RequirePointers(folder != nullptr && encoder != nullptr, "`folder` and `encoder`");
    Open(tfcompress::FolderFiles(folder), options, encoder);
  });
}

tfc_status tfc_open_encoder_files(const tfc_file* files, size_t num_files,
                                  const tfc_options* options, tfc_encoder** encoder) {
  return Guarded([&] {
    RequirePointers(files != nullptr && encoder != nullptr, "`files` and `encoder`");
    Open(tfcompress::Copies(files, num_files), options, encoder);
  });
}

void tfc_free_encoder(tfc_encoder* encoder) { delete encoder; }

void tfc_cancel_encoder(tfc_encoder* encoder) {
  if (encoder != nullptr) encoder->encoder.cancellation().Request();
}

tfc_status tfc_describe_encoder(const tfc_encoder* encoder, tfc_encoder_info* info) {
  return Guarded([&] {
    RequirePointers(encoder != nullptr && info != nullptr, "`encoder` and `info`");
    const tfcompress::TextEncoderBundle& bundle = encoder->encoder.bundle();
    const tfc_encoder_info known = {sizeof(known),      bundle.head.c_str(), bundle.vocabulary,
                                    bundle.token_types, bundle.max_length,   bundle.labels.size(),
                                    bundle.size};
    tfcompress::FillStruct(known, info, "tfc_encoder_info");
  });
}

const char* tfc_encoder_label(const tfc_encoder* encoder, size_t number) {
  if (encoder == nullptr) return nullptr;
  const std::vector<std::string>& labels = encoder->encoder.bundle().labels;
  return number < labels.size() ? labels[number].c_str() : nullptr;
}

tfc_status tfc_encode(tfc_encoder* encoder, const char* text, size_t size, int32_t cut,
                      tfc_encoding** encoding) {
  return Guarded([&] {
    RequirePointers(encoder != nullptr && text != nullptr && encoding != nullptr,
                    "`encoder`, `text` and `encoding`");
    const tfcompress::Use use(&encoder->is_busy, &encoder->encoder.cancellation());
    std::vector<int32_t> ids = encoder->encoder.Fitting({text, size}, cut != 0);
    tfcompress::Encoding results = encoder->encoder.Run(ids);
    *encoding = NewEncoding(std::move(ids), std::move(results));
  });
}

tfc_status tfc_encode_ids(tfc_encoder* encoder, const int32_t* ids, const int32_t* token_types,
                          size_t num_ids, tfc_encoding** encoding) {
  return Guarded([&] {
    RequirePointers(encoder != nullptr && (ids != nullptr || num_ids == 0) && encoding != nullptr,
                    "`encoder`, `ids` and `encoding`");
    const tfcompress::Use use(&encoder->is_busy, &encoder->encoder.cancellation());
    std::vector<int32_t> types;
    if (token_types != nullptr) types.assign(token_types, token_types + num_ids);
    std::vector<int32_t> tokens(ids, ids + num_ids);
    encoder->encoder.CutPadding(&tokens, &types);
    tfcompress::Encoding results = encoder->encoder.Run(tokens, types);
    *encoding = NewEncoding(std::move(tokens), std::move(results));
  });
}

tfc_status tfc_probabilities(const tfc_encoder* encoder, const tfc_output* user_logits,
                             float* probabilities) {
  return Guarded([&] {
    RequirePointers(encoder != nullptr && user_logits != nullptr && probabilities != nullptr,
                    "`encoder`, `logits` and `probabilities`");
    const tfc_output logits = tfcompress::TakenStruct(user_logits, tfc_output{}, "tfc_output");
    Require(logits.rows == 0 || (logits.values != nullptr && logits.width > 0),
            "`logits` needs values", "none", "Pass those of an encoding");
    for (size_t row = 0; row < logits.rows; ++row) {
      const size_t begin = row * logits.width;
      tfcompress::Probabilities(encoder->encoder.bundle().head, logits.values + begin, logits.width,
                                probabilities + begin);
    }
  });
}

tfc_status tfc_encoder_tokenize(const tfc_encoder* encoder, const char* text, size_t size,
                                tfc_encoding** encoding) {
  return Guarded([&] {
    RequirePointers(encoder != nullptr && text != nullptr && encoding != nullptr,
                    "`encoder`, `text` and `encoding`");
    *encoding = NewEncoding(encoder->encoder.Tokenize({text, size}), {});
  });
}

void tfc_free_encoding(tfc_encoding* encoding) { delete static_cast<OwnedEncoding*>(encoding); }
