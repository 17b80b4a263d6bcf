#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/last_error.h"
#include "runtime/c_handles.h"
#include "runtime/c_results.h"
#include "runtime/translation_bundle.h"
#include "runtime/translation_chain.h"
#include "runtime/translator.h"
#include "tfcompress.h"

using tfcompress::Guarded;
using tfcompress::NewResult;
using tfcompress::Require;
using tfcompress::RequirePointers;
using tfcompress::Translations;

struct tfc_translator {
  tfcompress::Translator translator;
  std::atomic<bool> is_busy{false};
};

namespace {

using Translators = std::vector<tfc_translator*>;

void Open(const tfcompress::Files& files, const tfc_options* options, tfc_translator** handle) {
  tfcompress::OpenHandle<tfc_translator, tfcompress::Translator>(
      files, options, tfcompress::OpenTranslationBundle, handle);
}

std::vector<int32_t> Ids(const tfc_ids& ids) {
  RequirePointers(ids.ids != nullptr || ids.num_ids == 0, "Ids");
  return {ids.ids, ids.ids + ids.num_ids};
}

tfcompress::Constraints ReadConstraints(const tfcompress::Translator& translator,
                                        const tfc_search& search) {
  tfcompress::Constraints constraints;
  RequirePointers((search.banned_words != nullptr || search.num_banned_words == 0) &&
                      (search.banned_ids != nullptr || search.num_banned_ids == 0),
                  "`banned_words` and `banned_ids`");
  constraints.target_prefix = Ids(search.target_prefix_ids);
  if (search.target_prefix != nullptr) {
    Require(constraints.target_prefix.empty(), "A translation can have one prefix only",
            "`target_prefix` and `target_prefix_ids`", "Leave one of them out");
    constraints.target_prefix = translator.PrefixIds(search.target_prefix);
  }
  for (size_t i = 0; i < search.num_banned_words; ++i) {
    RequirePointers(search.banned_words[i] != nullptr, "A banned word");
    constraints.banned_words.emplace_back(search.banned_words[i]);
  }
  for (size_t i = 0; i < search.num_banned_ids; ++i) {
    constraints.banned_ids.push_back(Ids(search.banned_ids[i]));
  }
  return constraints;
}

tfc_search Taken(const tfc_search* search) {
  return tfcompress::TakenStruct(search, tfc_search TFC_DEFAULT_SEARCH, "tfc_search");
}

tfcompress::SearchOptions Options(const tfcompress::Translator& translator,
                                  const tfc_search& search) {
  tfcompress::SearchOptions options;
  options.beam_size = search.beam_size;
  options.n_best = search.n_best;
  options.max_length = search.max_length;
  options.split = search.split != 0;
  options.with_scores = search.with_scores != 0;
  options.length_penalty = search.length_penalty;
  options.constraints = ReadConstraints(translator, search);
  options.split_sentences = search.split_sentences != 0;
  options.markup = search.markup != 0;
  return options;
}

// Translates with all of some translators, each of which nothing else uses meanwhile. `translate`
// takes them and the options of the last one.
template <typename Translate>
auto Translated(const Translators& handles, const tfc_search* user_search, Translate translate) {
  const tfc_search search = Taken(user_search);
  std::list<tfcompress::Use> uses;
  std::vector<tfcompress::Translator*> chain;
  for (tfc_translator* handle : handles) {
    tfcompress::Translator* const translator = &handle->translator;
    // A chain may have one twice.
    if (std::find(chain.begin(), chain.end(), translator) == chain.end()) {
      uses.emplace_back(&handle->is_busy, &translator->cancellation());
    }
    chain.push_back(translator);
  }
  const tfcompress::Following following(chain, search.on_progress, search.user_data);
  return translate(chain, Options(*chain.back(), search));
}

void RequireForIds(const tfcompress::SearchOptions& options) {
  Require(!options.markup && !options.split_sentences, "Ids have neither markup nor sentences",
          options.markup ? "`markup`" : "`split_sentences`", "Leave it out");
}

// Checks the arguments of a batch, whose results are none at first.
void RequireBatch(const tfc_translator* translator, const void* sources, size_t count,
                  tfc_result** results) {
  if (results != nullptr) std::fill_n(results, count, nullptr);
  RequirePointers(translator != nullptr && (sources != nullptr || count == 0) &&
                      (results != nullptr || count == 0),
                  "`translator`, what is translated and `results`");
}

// Gives all results, or none if there is no memory for one.
void GiveAll(std::vector<Translations> all, tfc_result** results) {
  std::vector<std::unique_ptr<tfc_result, decltype(&tfc_free_result)>> owned;
  for (Translations& one : all) owned.emplace_back(NewResult(std::move(one)), tfc_free_result);
  for (auto& one : owned) *results++ = one.release();
}

// The alignment of a text in several parts, each with its own source, made when it is asked for.
const float* Joined(const tfc_result& result, size_t number, size_t num_rows, size_t num_columns) {
  const auto& owned = static_cast<const tfcompress::OwnedResult&>(result);
  const std::lock_guard<std::mutex> lock(owned.mutex);
  if (num_columns > SIZE_MAX / sizeof(float) / std::max<size_t>(num_rows, 1)) {
    throw std::bad_alloc();
  }
  const auto known = owned.joined_alignments.find(number);
  if (known != owned.joined_alignments.end()) return known->second.data();
  // Not empty, as that may have no data.
  std::vector<float> joined(std::max<size_t>(num_rows * num_columns, 1));
  float* row = joined.data();
  for (const auto& [width, weights] : owned.translations.best[number].hypothesis.alignments) {
    for (size_t at = 0; at < weights.size(); at += width, row += num_columns) {
      std::copy_n(weights.data() + at, width, row);
    }
    row += width;
  }
  return (owned.joined_alignments[number] = std::move(joined)).data();
}

}  // namespace

tfc_status tfc_open(const char* folder, const tfc_options* options, tfc_translator** translator) {
  return Guarded([&] {
    RequirePointers(folder != nullptr && translator != nullptr, "`folder` and `translator`");
    Open(tfcompress::FolderFiles(folder), options, translator);
  });
}

tfc_status tfc_open_files(const tfc_file* files, size_t num_files, const tfc_options* options,
                          tfc_translator** translator) {
  return Guarded([&] {
    RequirePointers(files != nullptr && translator != nullptr, "`files` and `translator`");
    Open(tfcompress::Copies(files, num_files), options, translator);
  });
}

void tfc_free_translator(tfc_translator* translator) { delete translator; }

void tfc_cancel(tfc_translator* translator) {
  if (translator != nullptr) translator->translator.cancellation().Request();
}

tfc_status tfc_describe(const tfc_translator* translator, tfc_info* info) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && info != nullptr, "`translator` and `info`");
    const tfcompress::TranslationBundle& bundle = translator->translator.bundle();
    const tfc_info known = {sizeof(known),
                            bundle.source_vocabulary,
                            bundle.target_vocabulary,
                            bundle.max_source_length,
                            bundle.max_target_length,
                            bundle.size};
    tfcompress::FillStruct(known, info, "tfc_info");
  });
}

tfc_status tfc_translate(tfc_translator* translator, const char* text, size_t size,
                         const tfc_search* search, tfc_result** result) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && text != nullptr && result != nullptr,
                    "`translator`, `text` and `result`");
    *result =
        NewResult(Translated({translator}, search, [&](const auto& chain, const auto& options) {
          return tfcompress::TranslateText(chain, {text, size}, options);
        }));
  });
}

tfc_status tfc_translate_chain(tfc_translator* const* translators, size_t num_translators,
                               const char* text, size_t size, const tfc_search* search,
                               tfc_result** result) {
  return Guarded([&] {
    RequirePointers(translators != nullptr && text != nullptr && result != nullptr,
                    "`translators`, `text` and `result`");
    Require(num_translators > 0, "A chain needs a translator", "none", "Pass one or more");
    for (size_t i = 0; i < num_translators; ++i) {
      RequirePointers(translators[i] != nullptr, "A translator");
    }
    *result = NewResult(Translated({translators, translators + num_translators}, search,
                                   [&](const auto& chain, const auto& options) {
                                     return tfcompress::TranslateText(chain, {text, size}, options);
                                   }));
  });
}

tfc_status tfc_translate_ids(tfc_translator* translator, const int32_t* ids, size_t num_ids,
                             const tfc_search* search, tfc_result** result) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && (ids != nullptr || num_ids == 0) && result != nullptr,
                    "`translator`, `ids` and `result`");
    *result =
        NewResult(Translated({translator}, search, [&](const auto& chain, const auto& options) {
          RequireForIds(options);
          return chain[0]->TranslateIds({ids, ids + num_ids}, options);
        }));
  });
}

tfc_status tfc_translate_batch(tfc_translator* translator, const tfc_text* texts, size_t num_texts,
                               int32_t batch_size, const tfc_search* search, tfc_result** results) {
  return Guarded([&] {
    RequireBatch(translator, texts, num_texts, results);
    std::vector<std::string_view> views;
    for (size_t i = 0; i < num_texts; ++i) {
      RequirePointers(texts[i].text != nullptr, "A text");
      views.emplace_back(texts[i].text, texts[i].size);
    }
    GiveAll(Translated({translator}, search,
                       [&](const auto& chain, const auto& options) {
                         return tfcompress::TranslateTexts(chain[0], views, options, batch_size);
                       }),
            results);
  });
}

tfc_status tfc_translate_ids_batch(tfc_translator* translator, const tfc_ids* sentences,
                                   size_t num_sentences, int32_t batch_size,
                                   const tfc_search* search, tfc_result** results) {
  return Guarded([&] {
    RequireBatch(translator, sentences, num_sentences, results);
    std::vector<std::vector<int32_t>> rows;
    for (size_t i = 0; i < num_sentences; ++i) rows.push_back(Ids(sentences[i]));
    GiveAll(Translated({translator}, search,
                       [&](const auto& chain, const auto& options) {
                         RequireForIds(options);
                         return chain[0]->TranslateIdsBatch(rows, options, batch_size);
                       }),
            results);
  });
}

tfc_status tfc_logits(tfc_translator* translator, const int32_t* ids, size_t num_ids,
                      const int32_t* target, size_t num_target, float* logits) {
  return Guarded([&] {
    RequirePointers(translator != nullptr && (ids != nullptr || num_ids == 0) &&
                        (target != nullptr || num_target == 0) && logits != nullptr,
                    "`translator`, `ids`, `target` and `logits`");
    const tfcompress::Use use(&translator->is_busy, &translator->translator.cancellation());
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

tfc_status tfc_token_scores(const tfc_result* result, size_t number, const int32_t** ids,
                            const double** scores, size_t* num_scores) {
  return Guarded([&] {
    RequirePointers(ids != nullptr && scores != nullptr && num_scores != nullptr,
                    "`ids`, `scores` and `num_scores`");
    const tfcompress::Hypothesis& hypothesis = tfcompress::HypothesisOf(result, number);
    *ids = hypothesis.token_ids.data();
    *scores = hypothesis.token_scores.data();
    *num_scores = hypothesis.token_scores.size();
  });
}

tfc_status tfc_quality(const tfc_result* result, size_t number, double* quality) {
  return Guarded([&] {
    RequirePointers(quality != nullptr, "`quality`");
    const tfcompress::Hypothesis& hypothesis = tfcompress::HypothesisOf(result, number);
    const auto& scores = hypothesis.token_scores;
    if (scores.empty()) {
      *quality = hypothesis.log_probability == 0 ? 1 : 0;
      return;
    }
    const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
    *quality = std::exp(sum / static_cast<double>(scores.size()));
  });
}

tfc_status tfc_alignment(const tfc_result* result, size_t number, const float** weights,
                         size_t* num_tokens, size_t* num_source_tokens) {
  return Guarded([&] {
    RequirePointers(weights != nullptr && num_tokens != nullptr && num_source_tokens != nullptr,
                    "`weights`, `num_tokens` and `num_source_tokens`");
    const auto& parts = tfcompress::HypothesisOf(result, number).alignments;
    *weights = nullptr;
    *num_tokens = *num_source_tokens = 0;
    for (const tfcompress::Alignment& part : parts) {
      *num_tokens += part.weights.size() / part.source_length;
      *num_source_tokens += part.source_length;
    }
    if (parts.empty()) return;
    *weights = parts.size() == 1 && *num_tokens > 0
                   ? parts[0].weights.data()
                   : Joined(*result, number, *num_tokens, *num_source_tokens);
  });
}

void tfc_free_result(tfc_result* result) { delete static_cast<tfcompress::OwnedResult*>(result); }

const char* tfc_version(void) { return TFC_VERSION; }
