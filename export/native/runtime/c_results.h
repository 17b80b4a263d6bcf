#ifndef TFCOMPRESS_RUNTIME_C_RESULTS_H_
#define TFCOMPRESS_RUNTIME_C_RESULTS_H_

#include <memory>
#include <utility>
#include <vector>

#include "runtime/translator.h"
#include "tfcompress.h"

namespace tfcompress {

// A result and what it points to.
struct OwnedResult : tfc_result {
  Translations translations;
  std::vector<tfc_hypothesis> views;
};

inline tfc_result* NewResult(Translations translations) {
  auto owned = std::make_unique<OwnedResult>();
  owned->translations = std::move(translations);
  for (const Translation& one : owned->translations.best) {
    owned->views.push_back({one.text ? one.text->c_str() : nullptr, one.hypothesis.ids.data(),
                            one.hypothesis.ids.size(), one.hypothesis.log_probability,
                            one.hypothesis.score});
  }
  owned->num_hypotheses = owned->views.size();
  owned->hypotheses = owned->views.data();
  owned->num_parts = owned->translations.parts;
  return owned.release();
}

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_C_RESULTS_H_
