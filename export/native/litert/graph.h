#ifndef TFCOMPRESS_LITERT_GRAPH_H_
#define TFCOMPRESS_LITERT_GRAPH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "ops/op.h"

namespace tfcompress::litert {

struct Rule;

// Types of values, with the numbers of the file format.
enum class Element : int8_t {
  kF32 = 0,
  kF16 = 1,
  kI32 = 2,
  kI64 = 4,
  kBool = 6,
  kI16 = 7,
  kI8 = 9,
  kI4 = 17
};

uint64_t BytesOf(Element element, uint64_t count);
uint64_t CountOf(const ops::Shape& shape);

// The grid of a quantized tensor.
struct Grid {
  enum class Granularity { kNone, kTensor, kChannels, kBlocks };

  Granularity granularity = Granularity::kNone;
  float scale = 0;   // Of a tensor.
  int32_t axis = 0;  // Of channels, each of which has a scale.
  bool centred = true;
  int32_t block = 0;
  int32_t block_scales = -1;  // The tensor of those of blocks.
};

struct GraphTensor {
  Element element;
  ops::Shape shape;     // As the file has it, where inputs are as small as they may be.
  uint32_t open;        // A bit for each extent that inputs decide.
  const uint8_t* data;  // Null unless it is constant.
  Grid grid;
};

// Of a tensor.
constexpr uint64_t kMostElements = uint64_t{1} << 31;
constexpr size_t kMostOptions = 7;

struct GraphOperator {
  const Rule* rule;
  const ops::Op* custom;        // Null for operations of LiteRT.
  std::vector<int32_t> inputs;  // -1 for one that is left out.
  std::vector<int32_t> outputs;
  int32_t options[kMostOptions];
  std::vector<int32_t> done;  // Tensors that nothing reads after it.
};

// What a signature computes.
struct Graph {
  std::vector<GraphTensor> tensors;
  std::vector<GraphOperator> operators;
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  std::map<std::string, int32_t, std::less<>> names;  // Inputs by the signature's names.
};

// The graphs of a model by the names of its signatures.
using Graphs = std::map<std::string, Graph, std::less<>>;

// Reads a `.tflite` file, of which the graphs need not be any that can be computed. Throws Error
// (kBadBundle) unless it is whole: all that it refers to lies within it and exists, it has no more
// than export writes, constants are as large as their shapes, operators have what `rules` allow,
// and none of them reads what has no value yet.
Graphs ReadGraphs(const Bytes& bytes);

}  // namespace tfcompress::litert

#endif  // TFCOMPRESS_LITERT_GRAPH_H_
