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

  void Start(int32_t rows, int32_t top) override;
  StepOutput Step(const std::vector<int32_t>& tokens) override;
  void Reorder(const std::vector<int32_t>& parents) override;

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
  };

  // The buffers of `step` for one number of rows, one length of what grows and one number of best
  // tokens.
  struct Decoder {
    int32_t rows;
    int32_t cache_rows;
    int32_t top;
    int32_t source_length;  // 0 without alignments.
    litert::Buffers inputs;
    litert::Buffers outputs;
  };

  // Lets steps choose from these tokens; from all, if there are none.
  void Choose(const std::vector<int32_t>& candidates);
  void CheckTop(const litert::Buffer& ids) const;
  void UseDecoder(int32_t rows, int32_t cache_rows, int32_t top);
  Decoder NewDecoder(int32_t rows, int32_t cache_rows, int32_t top, int32_t source_length) const;
  void Grow();

  const int32_t longest_;
  const int32_t vocabulary_;
  const int32_t blocks_;
  const bool gives_top_;
  const bool gives_alignments_;
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
  std::list<Decoder> decoders_;
  int32_t position_ = 0;
  Timings timings_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_SESSION_H_
