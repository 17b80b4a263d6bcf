#ifndef TFCOMPRESS_LITERT_RULES_H_
#define TFCOMPRESS_LITERT_RULES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "litert/graph.h"

namespace tfcompress::litert {

// Few integers that are known before the graph runs: a constant, or what is computed of shapes.
struct Integers {
  static constexpr int32_t kMost = 16;

  int32_t count = -1;  // Not known.
  int32_t values[kMost];
};

// What is known of a graph's tensors once its inputs have shapes.
struct Sizes {
  std::vector<ops::Shape> shapes;
  std::map<size_t, Integers> integers;  // Computed ones.
  std::set<size_t> positive;            // Computed integers that are all above 0.
  bool are_stored = false;              // Whether shapes are those of the file.
};

// An operator whose inputs have shapes, and which gives its outputs theirs.
class Node {
 public:
  Node(const Graph& graph, const GraphOperator& own, Sizes* sizes)
      : graph_(graph), own_(own), sizes_(*sizes) {}

  size_t num_inputs() const { return own_.inputs.size(); }
  size_t num_outputs() const { return own_.outputs.size(); }
  bool Has(size_t input) const { return input < num_inputs() && own_.inputs[input] >= 0; }
  const GraphTensor& in(size_t input) const { return graph_.tensors[Input(input)]; }
  const GraphTensor& out(size_t output) const { return graph_.tensors[Output(output)]; }
  const GraphTensor& tensor(int32_t index) const {
    return graph_.tensors[static_cast<size_t>(index)];
  }
  const ops::Shape& shape(size_t input) const { return sizes_.shapes[Input(input)]; }
  int32_t option(size_t field) const { return own_.options[field]; }
  const ops::Op& custom() const { return *own_.custom; }

  // The values of an input; they must be known, at most `most`, and of a type.
  Integers Known(size_t input, int32_t rank, int32_t most = Integers::kMost,
                 Element type = Element::kI32) const;
  // The same, but none where they are computed of more than shapes.
  Integers Computed(size_t input) const;

  // Throws Error (kBadBundle) unless the output may have this shape.
  void Give(size_t output, const ops::Shape& shape);
  void Compute(size_t output, const Integers& values) { sizes_.integers[Output(output)] = values; }
  // Whether all values of an input are integers above 0.
  bool IsPositive(size_t input) const;
  void SetPositive(size_t output) { sizes_.positive.insert(Output(output)); }
  // Counts what the operator computes, besides a value for each that it gives.
  void Work(uint64_t products) { work_ += products; }
  uint64_t work() const { return work_; }

  // Throws Error (kBadBundle) unless it holds.
  void Require(bool holds, const char* what) const {
    if (!holds) Fail(what);
  }
  [[noreturn]] void Fail(const std::string& what) const;

 private:
  size_t Input(size_t input) const { return static_cast<size_t>(own_.inputs[input]); }
  size_t Output(size_t output) const { return static_cast<size_t>(own_.outputs[output]); }

  const Graph& graph_;
  const GraphOperator& own_;
  Sizes& sizes_;
  uint64_t work_ = 0;
};

// A field of an operator's options and what it may be.
struct Option {
  enum Type { kEnd, kFlag, kByte, kWord, kOne, kSlope, kAbsent };

  Type type = kEnd;
  int32_t least = 0;
  int32_t most = 0;
};

// What an operation that export writes may be like.
struct Rule {
  static constexpr size_t kNone = ~size_t{0};

  const char* name;
  int32_t code;
  uint8_t options_type;
  Option options[kMostOptions + 1];
  size_t least_inputs;
  size_t most_inputs;
  size_t optional_input;
  size_t most_outputs;
  // Throws Error (kBadBundle) unless the types and shapes of its inputs are possible; gives the
  // shapes of its outputs.
  void (*infer)(Node* node);
};

// Null if export writes no such operation.
const Rule* FindRule(int32_t code);
// That of all custom operations.
extern const Rule kCustomRule;

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_RULES_H_
