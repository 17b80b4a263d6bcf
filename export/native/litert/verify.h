#ifndef TFCOMPRESS_LITERT_VERIFY_H_
#define TFCOMPRESS_LITERT_VERIFY_H_

#include <map>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "litert/graph.h"

namespace tfcompress::litert {

// What is known of a `.tflite` file before LiteRT sees it, which crashes on some that are altered,
// or takes all memory there is.
class VerifiedModel {
 public:
  // Throws Error (kBadBundle) unless the file is such as export writes: whole, of operators that
  // have inputs, options, types and shapes that each of them can have. `name` is for messages.
  VerifiedModel(const std::string& name, const Bytes& bytes);

  // Throws Error (kBadBundle) if a signature cannot run on inputs of these shapes, those left out
  // being as they are in the file, or if it would take far more memory or time than such inputs
  // and so large a model need.
  void Check(const std::string& signature,
             const std::map<std::string, std::vector<int32_t>>& inputs) const;

  // Whether several products use one matrix, which LiteRT then should copy once.
  bool shares_weights() const { return shares_weights_; }

 private:
  void CheckSizes(const Graph& graph, std::vector<ops::Shape> shapes, bool are_stored) const;

  // Throws unless LiteRT has memory for the copies that it makes of weights.
  void CheckWeights();

  std::string name_;
  Bytes bytes_;  // Which the graphs point into.
  bool shares_weights_ = false;
  Graphs graphs_;
};

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_VERIFY_H_
