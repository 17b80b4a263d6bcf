#ifndef TFCOMPRESS_RUNTIME_BATCH_H_
#define TFCOMPRESS_RUNTIME_BATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/search.h"
#include "runtime/session.h"

namespace tfcompress {

// A sentence, the end id included, and the search for its translations.
struct BatchSentence {
  std::vector<int32_t> ids;
  std::vector<int32_t> wanted;  // Tokens that it may have, whatever its shortlist.
  std::unique_ptr<Search> search;
};

// Runs the searches, which have as many rows each, at most `batch_size` side by side. Where the
// model lets it, sentences take the places of those whose searches are done; otherwise those of one
// length are decoded together. All targets begin with `prompt`, which searches do not see.
// `finished` is called after each sentence.
void RunBatch(Session* session, const std::vector<int32_t>& prompt, int32_t batch_size,
              const std::vector<BatchSentence*>& sentences, const std::function<void()>& finished);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_BATCH_H_
