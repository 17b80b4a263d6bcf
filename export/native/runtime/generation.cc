#include "runtime/generation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/error.h"

namespace tfcompress {

Prompted::Prompted(Stepper* stepper, int32_t bos, const std::vector<int32_t>& prompt)
    : stepper_(*stepper), ids_({bos}) {
  ids_.insert(ids_.end(), prompt.begin(), prompt.end());
}

void Prompted::Start(int32_t rows, int32_t top) {
  stepper_.Start(rows, top);
  std::vector<int32_t> tokens(static_cast<size_t>(rows));
  for (size_t i = 0; i + 1 < ids_.size(); ++i) {
    std::fill(tokens.begin(), tokens.end(), ids_[i]);
    stepper_.Step(tokens);
  }
  is_first_ = true;
}

StepOutput Prompted::Step(const std::vector<int32_t>& tokens) {
  if (!is_first_) return stepper_.Step(tokens);
  is_first_ = false;
  return stepper_.Step(std::vector<int32_t>(tokens.size(), ids_.back()));
}

double SplitMix64::Uniform() {
  uint64_t mixed = state_ += 0x9E3779B97F4A7C15;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
  return static_cast<double>((mixed ^ mixed >> 31) >> 11) * 0x1p-53;
}

int32_t Draw(const float* logits, int32_t vocabulary, const SpecialIds& special,
             const GenerationOptions& options, double uniform) {
  std::vector<double> values(logits, logits + vocabulary);
  for (int32_t id : {special.pad, special.bos}) {
    values[static_cast<size_t>(id)] = -std::numeric_limits<double>::infinity();
  }
  std::vector<int32_t> tokens(values.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto value = [&](int32_t token) { return values[static_cast<size_t>(token)]; };
  if (options.top_k > 0 && options.top_k < vocabulary) {
    std::partial_sort(
        tokens.begin(), tokens.begin() + options.top_k, tokens.end(),
        [&](int32_t a, int32_t b) { return value(a) != value(b) ? value(a) > value(b) : a < b; });
    tokens.resize(static_cast<size_t>(options.top_k));
  }
  const double largest = *std::max_element(values.begin(), values.end());
  if (!std::isfinite(largest)) {
    throw Error(Error::Code::kRuntime, "The model gives no finite logits", "a token to draw",
                kCopyAgain);
  }
  std::vector<double> totals;
  double total = 0;
  for (int32_t token : tokens) {
    total += std::exp((value(token) - largest) / options.temperature);
    totals.push_back(total);
  }
  const auto place = std::upper_bound(totals.begin(), totals.end() - 1, uniform * total);
  return tokens[static_cast<size_t>(place - totals.begin())];
}

Generation::Generation(Stepper* stepper, const SpecialIds& special,
                       const std::vector<int32_t>& prompt, int32_t limit,
                       const GenerationOptions& options)
    : stepper_(stepper, special.bos, prompt),
      special_(special),
      options_(options),
      random_(options.seed),
      left_(limit),
      token_({special.bos}) {
  stepper_.Start(1, 1);
}

std::optional<GeneratedToken> Generation::Next() {
  if (left_ == 0) return std::nullopt;
  --left_;
  const StepOutput output = stepper_.Step(token_);
  const float* const logits = output.logits;
  const int32_t token = options_.temperature > 0
                            ? Draw(logits, output.vocabulary, special_, options_, random_.Uniform())
                            : BestToken(logits, output, special_);
  const float log_sum =
      output.log_sum_exp != nullptr ? output.log_sum_exp[0] : LogSumExp(logits, output.vocabulary);
  if (token == special_.eos) left_ = 0;
  token_[0] = token;
  return GeneratedToken{token, logits[token] - log_sum};
}

}  // namespace tfcompress
