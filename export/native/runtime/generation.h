#ifndef TFCOMPRESS_RUNTIME_GENERATION_H_
#define TFCOMPRESS_RUNTIME_GENERATION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/decoder_bundle.h"
#include "runtime/search.h"

namespace tfcompress {

// How a language model goes on.
struct GenerationOptions {
  int32_t max_tokens = 64;
  int32_t beam_size = 1;  // 1: no beam search.
  int32_t n_best = 1;
  int32_t top_k = 0;  // 0: all.
  double length_penalty = 1;
  double temperature = 0;  // 0: the most probable tokens.
  uint64_t seed = 0;
};

// A stepper whose hypotheses all begin with a prompt.
class Prompted final : public Stepper {
 public:
  // `stepper` must outlive it.
  Prompted(Stepper* stepper, int32_t bos, const std::vector<int32_t>& prompt);

  void Start(int32_t rows, int32_t top) override;
  // The first time, appends the prompt's last token, whatever is given.
  StepOutput Step(const std::vector<int32_t>& tokens) override;
  void Reorder(const std::vector<int32_t>& parents) override { stepper_.Reorder(parents); }

 private:
  Stepper& stepper_;
  std::vector<int32_t> ids_;
  bool is_first_ = false;
};

// The generator of random numbers of that name.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  // The next number in [0, 1), of 53 bits.
  double Uniform();

 private:
  uint64_t state_;
};

// Draws a token as the Python runtime does, by a number in [0, 1).
int32_t Draw(const float* logits, int32_t vocabulary, const SpecialIds& special,
             const GenerationOptions& options, double uniform);

// A token and its log-probability.
struct GeneratedToken {
  int32_t id;
  double log_probability;
};

// A text that grows by one token at a time.
class Generation {
 public:
  // Of a prompt with room for so many tokens more. `stepper` must outlive it.
  Generation(Stepper* stepper, const SpecialIds& special, const std::vector<int32_t>& prompt,
             int32_t limit, const GenerationOptions& options);

  // The next token, or none after the last, which is the end id where the model ends the text.
  std::optional<GeneratedToken> Next();

 private:
  Prompted stepper_;
  const SpecialIds special_;
  const GenerationOptions options_;
  SplitMix64 random_;
  int32_t left_;
  std::vector<int32_t> token_;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_GENERATION_H_
