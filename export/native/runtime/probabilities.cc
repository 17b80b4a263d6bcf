#include "runtime/probabilities.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"

namespace tfcompress {
namespace {

void Softmax(const float* logits, size_t width, float* result) {
  const float largest = *std::max_element(logits, logits + width);
  float sum = 0;
  for (size_t i = 0; i < width; ++i) sum += result[i] = std::exp(logits[i] - largest);
  for (size_t i = 0; i < width; ++i) result[i] /= sum;
}

void Sigmoid(const float* logits, size_t width, float* result) {
  for (size_t i = 0; i < width; ++i) result[i] = 1 / (1 + std::exp(-logits[i]));
}

}  // namespace

void Probabilities(const std::string& head, const float* logits, size_t width, float* result) {
  if (head == "classification" || head == "token_classification") {
    Softmax(logits, width, result);
  } else if (head == "multi_label_classification") {
    Sigmoid(logits, width, result);
  } else {
    throw Error(Error::Code::kInvalidArgument, "Probabilities need a head with classes",
                head.empty() ? "no head" : "a head for " + head, "Read the results themselves");
  }
}

}  // namespace tfcompress
