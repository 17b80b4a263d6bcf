#ifndef TFCOMPRESS_RUNTIME_SEARCH_H_
#define TFCOMPRESS_RUNTIME_SEARCH_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/constraints.h"
#include "runtime/decoder_bundle.h"

namespace tfcompress {

// What a step gives; valid until the next one. Either all logits or the best.
struct StepOutput {
  const float* logits;       // [rows, vocabulary], of the next token, or null.
  const float* block_max;    // [rows, blocks], the maxima of equal blocks of logits, or null.
  const float* log_sum_exp;  // [rows], of the logits, or null.
  int32_t vocabulary;
  int32_t blocks;           // 0 where there are none.
  const float* top_values;  // [rows, top], the best logits, best first, or null.
  const int32_t* top_ids;   // [rows, top], their tokens; -1 where there are fewer.
  const float* eos_logits;  // [rows], of the end id.
  int32_t top;
  // [rows, source_length], how much the next token looks at each token of the source, or null.
  const float* alignment;
  int32_t source_length;
};

// A decoder with one source sentence.
class Stepper {
 public:
  virtual ~Stepper() = default;
  // Begins again, with this many hypotheses side by side, of each of which at least the `top` best
  // tokens are wanted.
  virtual void Start(int32_t rows, int32_t top) = 0;
  // Appends a token to every row.
  virtual StepOutput Step(const std::vector<int32_t>& tokens) = 0;
  // Lets row `i` continue what row `parents[i]` began.
  virtual void Reorder(const std::vector<int32_t>& parents) = 0;
};

// What each token of a part of a text is aligned with: [tokens, source_length].
struct Alignment {
  size_t source_length;
  std::vector<float> weights;
};

// A translation that a search found.
struct Hypothesis {
  std::vector<int32_t> ids;  // Without the end id.
  double log_probability;    // Of its tokens, the end id's included.
  double score;              // log_probability / length^penalty; the length counts the end id.
  // The ids with the end id. Empty, as what follows, where greedy search computes no scores.
  std::vector<int32_t> token_ids = {};
  // The log-probability of each of these.
  std::vector<double> token_scores = {};
  // Of each part, whose tokens are together all of these; none where they are not aligned.
  std::vector<Alignment> alignments = {};
};

// What else searches heed: ids to begin with, fewer than the limit, and bans of tokens, of which
// the end id is none.
struct Heeded {
  std::vector<int32_t> prefix;
  Bans bans;
};

// A search for one sentence's translations, which says what steps are to compute.
class Search {
 public:
  // Decodes so many rows, of each of which at least the `top` best tokens are wanted.
  Search(int32_t rows, int32_t top, int32_t bos)
      : rows_(rows), top_(top), tokens_(static_cast<size_t>(rows), bos) {}
  virtual ~Search() = default;

  int32_t rows() const { return rows_; }
  int32_t top() const { return top_; }
  bool done() const { return done_; }
  // What the next step appends to each row;
  const std::vector<int32_t>& tokens() const { return tokens_; }
  // before it, the row that each one continues; none if all go on as they are.
  const std::vector<int32_t>& parents() const { return parents_; }

  // Looks at what a step gave for its rows, until it is done.
  virtual void Look(const StepOutput& output) = 0;
  // The translations, best first, at most once, when it is done. Throws Error (kRuntime) if no
  // logit is finite.
  virtual std::vector<Hypothesis> Take() = 0;

 protected:
  const int32_t rows_;
  const int32_t top_;
  bool done_ = false;
  std::vector<int32_t> tokens_;
  std::vector<int32_t> parents_;
};

// Takes the most probable token at each step; of equals, the lowest id. At most `limit` tokens, the
// end id included, which is forced at the last. `heeded` must outlive the search.
std::unique_ptr<Search> NewGreedySearch(const SpecialIds& special, int32_t limit,
                                        const Heeded& heeded);

// Keeps the `beam_size` best hypotheses at each step, as the Python runtime's search does.
std::unique_ptr<Search> NewBeamSearch(const SpecialIds& special, int32_t limit, int32_t beam_size,
                                      double length_penalty, const Heeded& heeded);

// What a search finds with a stepper of its own.
std::vector<Hypothesis> Run(Search* search, Stepper* stepper);

// The most probable token of the first row that is not forbidden; of equals, the lowest id.
int32_t BestToken(const float* logits, const StepOutput& output, const SpecialIds& special,
                  const Bans::After* after = nullptr);

// The logarithm of the sum of powers of e.
float LogSumExp(const float* logits, int32_t count);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_SEARCH_H_
