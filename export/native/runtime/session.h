#ifndef TFCOMPRESS_RUNTIME_SESSION_H_
#define TFCOMPRESS_RUNTIME_SESSION_H_

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "litert/model.h"
#include "runtime/decoder_bundle.h"
#include "runtime/progress.h"
#include "runtime/search.h"
#include "runtime/shortlist.h"

namespace tfcompress {

// Where the time of a sentence went.
struct Timings {
  double encode_seconds = 0;
  double first_step_seconds = 0;
  double step_seconds = 0;  // Of all steps, the first one included.
  int64_t steps = 0;
};

// Runs a bundle's model: a sentence is encoded, then decoded step by step.
class Session final : public Stepper {
 public:
  // Throws Error if the model does not load or is not the one that the manifest describes.
  Session(const litert::Api& api, const DecoderBundle& bundle, int num_threads,
          litert::Profile* profile = nullptr);

  // The log-probability of each id of a row, of a language model.
  std::vector<float> Score(const std::vector<int32_t>& row, int32_t bos);

  // Encodes a sentence, the end id included, which the steps after it translate; with a shortlist,
  // they choose from `wanted` too.
  void Encode(const std::vector<int32_t>& ids, const std::vector<int32_t>& wanted = {});

  // Lets each step tell of itself, until null is given.
  void Follow(Progress* progress) { progress_ = progress; }
  Cancellation& cancellation() { return model_.cancellation(); }

  void Start(int32_t rows, int32_t top) override;
  StepOutput Step(const std::vector<int32_t>& tokens) override;
  void Reorder(const std::vector<int32_t>& parents) override;

  // Begins to decode several sentences side by side, none with more than `longest` ids. Each has as
  // many rows, which stand together.
  void StartBatch(int32_t sentences, int32_t rows, int32_t top, int32_t longest);
  // Encodes a sentence, as Encode does, in the place of another. Its rows begin anew.
  void Place(int32_t place, const std::vector<int32_t>& ids, const std::vector<int32_t>& wanted);
  // What steps give for a place has no meaning any more.
  void Retire(int32_t place);
  // Goes on with the sentences of these places only.
  void Keep(const std::vector<int32_t>& places);
  // Whether a sentence may be placed while others are decoded, and be of any length. Otherwise all
  // must have the length that the batch was started with and be placed before its first step.
  bool is_ragged() const { return is_ragged_; }

  // The logits of all tokens after every prefix of a target of the encoded sentence, the first
  // of them after the begin id alone: [target.size() + 1, vocabulary].
  std::vector<float> Logits(const std::vector<int32_t>& target, int32_t bos);

  // Of the sentence encoded last.
  const Timings& timings() const { return timings_; }

 private:
  // The buffers of `encode` for one length of source; of nothing, where there is no source.
  struct Encoder {
    int32_t length;
    litert::Buffer ids;
    litert::Buffers state;
    litert::Buffer memory_length;  // Where steps are ragged.
  };

  // What steps read of the sentences of a batch.
  struct Memories {
    int32_t count;  // How many: one for each sentence, or where steps are not ragged for each row.
    int32_t sentences;
    int32_t length;  // Of the longest.
    litert::Buffers inputs;

    int32_t copies() const { return count / sentences; }
  };

  // The buffers of `step` for one number of rows, one length of what grows and one number of best
  // tokens.
  struct Decoder {
    int32_t rows;
    int32_t positions;  // One for all rows, or one for each.
    int32_t cache_rows;
    int32_t top;
    int32_t source_length;  // 0 without alignments.
    litert::Buffers inputs;
    litert::Buffers outputs;
  };

  // Runs the encoder, whose results are then in front.
  const Encoder& RunEncoder(const std::vector<int32_t>& ids);
  // Lets steps choose from the tokens for a sentence and those that are wanted; from all, if there
  // are none. `list` is where they are written.
  std::vector<int32_t> Candidates(const std::vector<int32_t>& ids,
                                  const std::vector<int32_t>& wanted) const;
  static void Choose(const std::vector<int32_t>& candidates, const litert::Buffers& lists,
                     int32_t list, int32_t vocabulary);
  void CheckTop(const litert::Buffer& ids) const;
  int32_t CacheRows(int32_t source_length) const;
  int32_t Rows() const { return static_cast<int32_t>(positions_.size()) * rows_; }
  // The position of a row, which of a retired sentence is the first.
  int32_t PositionOf(int32_t row) const;
  void UseMemories(int32_t sentences, int32_t length);
  Memories NewMemories(int32_t sentences, int32_t length) const;
  // The buffers for the present sentences, rows and memories.
  void UseDecoder(int32_t cache_rows, int32_t top);
  Decoder NewDecoder(const Decoder& sizes) const;
  static bool IsLike(const Decoder& a, const Decoder& b);
  // Makes rows begin.
  void Clear(int32_t first, int32_t count);
  // Goes on with some rows of another decoder, and with as long a cache or a longer one.
  void Continue(const Decoder& old, const std::vector<int32_t>& rows);
  void Grow();

  const int32_t longest_;
  const int32_t vocabulary_;
  const int32_t blocks_;
  const bool gives_top_;
  const bool gives_alignments_;
  const bool is_ragged_;
  std::vector<StateTensor> sentence_;    // The state per sentence,
  std::vector<StateTensor> hypotheses_;  // and per hypothesis.
  const bool grows_;
  std::map<std::string, int32_t> results_;  // Their width by name.
  litert::Model model_;
  // Takes whole sequences: `encode`, or `score` of a language model.
  litert::Model::Signature whole_;
  litert::Model::Signature step_;
  std::optional<Shortlist> shortlist_;
  litert::Buffers candidates_;  // The tokens to choose from.
  // Those used last, the latest in front.
  std::list<Encoder> encoders_;
  std::list<Memories> memories_;
  std::list<Decoder> decoders_;
  // What is decoded: one sentence, encoded alone, or a batch.
  bool is_batch_ = false;
  std::vector<int32_t> positions_ = {0};  // Of each sentence; -1 for one that is retired.
  int32_t rows_ = 1;                      // Of each.
  Timings timings_;
  Progress* progress_ = nullptr;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_SESSION_H_
