#ifndef TFCOMPRESS_RUNTIME_PROBABILITIES_H_
#define TFCOMPRESS_RUNTIME_PROBABILITIES_H_

#include <cstddef>
#include <string>

namespace tfcompress {

// The probabilities of classes from a row of logits, by the task of the head. Throws Error
// (kInvalidArgument) for heads without classes.
void Probabilities(const std::string& head, const float* logits, size_t width, float* result);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_PROBABILITIES_H_
