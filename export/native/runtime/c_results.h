#ifndef TFCOMPRESS_RUNTIME_C_RESULTS_H_
#define TFCOMPRESS_RUNTIME_C_RESULTS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/last_error.h"
#include "runtime/c_structs.h"
#include "runtime/translator.h"
#include "tfcompress.h"

namespace tfcompress {

// A result and what it points to.
struct OwnedResult : tfc_result {
  Translations translations;
  std::vector<tfc_hypothesis> views;
  std::vector<const tfc_hypothesis*> pointers;
  // The alignments of texts in several parts that were asked for, by the hypothesis' number.
  mutable std::mutex mutex;
  mutable std::map<size_t, std::vector<float>> joined_alignments;
};

// What `tfc_token_scores` and others take; throws Error (kInvalidArgument).
inline const Hypothesis& HypothesisOf(const tfc_result* result, size_t number) {
  RequirePointers(result != nullptr, "`result`");
  const auto& best = static_cast<const OwnedResult*>(result)->translations.best;
  Require(number < best.size(), "A result must have the hypothesis that is asked for",
          "number " + std::to_string(number) + " of " + std::to_string(best.size()),
          "Ask for another");
  return best[number].hypothesis;
}

inline tfc_result* NewResult(Translations translations) {
  auto owned = std::make_unique<OwnedResult>();
  owned->translations = std::move(translations);
  for (const Translation& one : owned->translations.best) {
    owned->views.push_back({sizeof(tfc_hypothesis), one.text ? one.text->c_str() : nullptr,
                            one.hypothesis.ids.data(), one.hypothesis.ids.size(),
                            one.hypothesis.log_probability, one.hypothesis.score});
  }
  owned->struct_size = sizeof(tfc_result);
  owned->num_hypotheses = owned->views.size();
  owned->pointers = PointersTo(owned->views);
  owned->hypotheses = owned->pointers.data();
  owned->num_parts = owned->translations.parts;
  return owned.release();
}

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_C_RESULTS_H_
