#ifndef TFCOMPRESS_RUNTIME_CONSTRAINTS_H_
#define TFCOMPRESS_RUNTIME_CONSTRAINTS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "runtime/decoder_bundle.h"
#include "tokenizer/tokenizer.h"

namespace tfcompress {

// What a search must heed: ids that every hypothesis begins with, sequences of ids that none has,
// and words that the text of none has.
struct Constraints {
  std::vector<int32_t> target_prefix;
  std::vector<std::vector<int32_t>> banned_ids;
  std::vector<std::string> banned_words;

  // Throws Error (kInvalidArgument) for ids that are not those of text, and for words that are not
  // UTF-8 or blank.
  void Check(const DecoderBundle& bundle) const;
};

// The tokens that may not follow what a hypothesis has; as tfcompress.runtime.constraints says it.
class Bans {
 public:
  Bans() = default;
  // Words need a tokenizer, which must outlive it.
  Bans(const Constraints& constraints, const Tokenizer* tokenizer);

  bool empty() const { return sequences_.empty() && words_.empty(); }
  // Throws Error (kInvalidArgument) if what hypotheses begin with is banned.
  void CheckPrefix(const std::vector<int32_t>& prefix) const;

  // What is forbidden after some ids; the bans must outlive it.
  class After {
   public:
    After(const Bans& bans, const std::vector<int32_t>& ids);
    bool Forbids(int32_t token) const;

   private:
    const Bans& bans_;
    std::set<int32_t> last_;  // Tokens that would complete a sequence.
    std::string before_;      // The end of the text.
  };

 private:
  std::string Surface(int32_t token) const;

  std::vector<std::vector<int32_t>> sequences_;
  std::vector<std::string> words_;
  const Tokenizer* tokenizer_ = nullptr;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_CONSTRAINTS_H_
