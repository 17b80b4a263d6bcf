#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/last_error.h"
#include "runtime/c_handles.h"
#include "runtime/c_results.h"
#include "runtime/translation_bundle.h"
#include "runtime/translator.h"
#include "tfcompress.h"

using tfcompress::Guarded;
using tfcompress::NewResult;
using tfcompress::Require;
using tfcompress::RequirePointers;
using tfcompress::Translations;

struct tfc_translator {
  tfcompress::Translator translator;
};

namespace {

void Open(const tfcompress::Files& files, const tfc_options* options, tfc_translator** handle) {
  tfcompress::OpenHandle<tfc_translator, tfcompress::Translator>(
      files, options, tfcompress::OpenTranslationBundle, handle);
}

tfcompress::SearchOptions Options(const tfc_search* search) {
  tfcompress::SearchOptions options;
  if (search == nullptr) return options;
  Require(search->struct_size == sizeof(*search), "`struct_size` must be that of tfc_search",
          std::to_string(search->struct_size), "Begin with TFC_DEFAULT_SEARCH");
  options.beam_size = search->beam_size;
  options.n_best = search->n_best;
  options.max_length = search->max_length;
  options.split = search->split != 0;
  options.with_scores = search->with_scores != 0;
  options.length_penalty = search->length_penalty;
  return options;
}

}  // namespace

tfc_status tfc_open(const char* folder, const tfc_options* options, tfc_translator** translator) {
  return Guarded([&] {
    RequirePointers(folder != nullptr && translator != nullptr, "`folder` and `translator`");
    Open(tfcompress::FolderFiles(folder), options, translator);
  });
}

tfc_status tfc_open_memory(const tfc_file* files, size_t num_files, const tfc_options* options,
                           tfc_translator** translator) {
  return Guarded([&] {
    RequirePointers(files != nullptr && translator != nullptr, "`files` and `translator`");
    Open(tfcompress::Copies(files, num_files), options, translator);
  });
}

void tfc_free_translator(tfc_translator* translator) { delete translator; }

tfc_status tfc_describe(const tfc_translator* translator, tfc_info* info) {
  return Guarded([&] {
    tfcompress::CheckInfo(translator, info, "`translator` and `info`");
    const tfcompress::TranslationBundle& bundle = translator->translator.bundle();
    *info = {sizeof(*info),
             bundle.source_vocabulary,
             bundle.target_vocabulary,
             bundle.max_source_length,
             bundle.max_target_length,
             bundle.size};
  });
}

tfc_status tfc_translate(tfc_translator* translator, const char* text, size_t size,
                         const tfc_search* search, tfc_result** result) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && text != nullptr && result != nullptr,
                    "`translator`, `text` and `result`");
    *result = NewResult(translator->translator.Translate({text, size}, Options(search)));
  });
}

tfc_status tfc_translate_ids(tfc_translator* translator, const int32_t* ids, size_t num_ids,
                             const tfc_search* search, tfc_result** result) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && (ids != nullptr || num_ids == 0) && result != nullptr,
                    "`translator`, `ids` and `result`");
    *result = NewResult(translator->translator.TranslateIds({ids, ids + num_ids}, Options(search)));
  });
}

tfc_status tfc_logits(tfc_translator* translator, const int32_t* ids, size_t num_ids,
                      const int32_t* target, size_t num_target, float* logits) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && (ids != nullptr || num_ids == 0) &&
                        (target != nullptr || num_target == 0) && logits != nullptr,
                    "`translator`, `ids`, `target` and `logits`");
    const std::vector<float> values =
        translator->translator.Logits({ids, ids + num_ids}, {target, target + num_target});
    std::copy(values.begin(), values.end(), logits);
  });
}

tfc_status tfc_tokenize(const tfc_translator* translator, const char* text, size_t size,
                        tfc_result** result) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && text != nullptr && result != nullptr,
                    "`translator`, `text` and `result`");
    Translations only;
    only.best.push_back({{translator->translator.Tokenize({text, size}), 0, 0}, std::nullopt});
    *result = NewResult(std::move(only));
  });
}

void tfc_free_result(tfc_result* result) { delete static_cast<tfcompress::OwnedResult*>(result); }

const char* tfc_version(void) { return TFC_VERSION; }
