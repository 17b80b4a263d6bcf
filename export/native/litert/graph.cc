#include "litert/graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/error.h"
#include "litert/flatbuffer.h"
#include "litert/rules.h"

namespace tfcompress::litert {
namespace {

constexpr char kIdentifier[] = "TFL3";
constexpr uint32_t kVersion = 3;
constexpr int32_t kMostRank = 5;
constexpr size_t kMostGraphs = 16;
constexpr size_t kMostTensors = 1 << 16;
constexpr size_t kMostOperators = 1 << 14;
constexpr size_t kMostCustomOptions = 1 << 12;
constexpr size_t kMostMetadata = 64;
constexpr float kLeastScale = 1e-30f, kMostScale = 1e20f;
// LiteRT reads the values of constants as they lie.
constexpr uint64_t kAlignment = 16;

// The fields of the schema that export writes, by table.
namespace model {
enum { kVersion, kOperatorCodes, kSubgraphs, kDescription, kBuffers, kMetadata = 6, kSignatures };
}
namespace operator_code {
enum { kOldCode, kCustomCode, kVersion, kCode };
// Codes above are in the newer field only.
constexpr int32_t kMostOldCode = 127;
}  // namespace operator_code
namespace buffer {
enum { kData };
}
namespace metadata {
enum { kName, kBuffer };
constexpr char kRuntime[] = "min_runtime_version";
}  // namespace metadata
namespace signature {
enum { kInputs, kOutputs, kKey, kSubgraph = 4 };
}
namespace tensor_map {
enum { kName, kTensor };
}
namespace subgraph {
enum { kTensors, kInputs, kOutputs, kOperators, kName };
}
namespace tensor {
enum { kShape, kType, kBuffer, kName, kQuantization, kOpenShape = 7, kHasRank };
}
namespace quantization {
enum { kScale = 2, kZeroPoint, kDetailsType, kDetails, kAxis };
constexpr uint8_t kBlockwise = 2;
}  // namespace quantization
namespace blockwise {
enum { kScales, kZeroPoints, kBlockSize };
}
namespace operation {
enum { kOpcode, kInputs, kOutputs, kOptionsType, kOptions, kCustomOptions };
}

struct Data {
  const uint8_t* begin;
  uint64_t size;
};

struct Code {
  const Rule* rule;
  const ops::Op* custom;
};

class Reader {
 public:
  explicit Reader(const Bytes& bytes) : file_(bytes) {}

  Graphs Run() {
    RequireIntact(file_.Holds(0, 8) && file_.Text(4, 4) == kIdentifier, "it is no .tflite file");
    const Table root(file_, file_.Follow(0));
    root.AllowOnly({model::kVersion, model::kOperatorCodes, model::kSubgraphs, model::kDescription,
                    model::kBuffers, model::kMetadata, model::kSignatures});
    RequireIntact(root.Scalar<uint32_t>(model::kVersion) == kVersion, "it is of another version");
    root.Text(model::kDescription);
    ReadBuffers(root);
    ReadMetadata(root);
    for (const Table& one : root.Children(model::kOperatorCodes)) codes_.push_back(ReadCode(one));
    std::vector<Graph> graphs;
    for (const Table& one : root.Children(model::kSubgraphs)) {
      RequireIntact(graphs.size() < kMostGraphs, "it has too many graphs");
      graphs.push_back(ReadGraph(one));
    }
    const std::vector<Table> signatures = root.Children(model::kSignatures);
    RequireIntact(!signatures.empty() && signatures.size() == graphs.size(),
                  "it has not one signature for each graph");
    Graphs named;
    std::vector<bool> taken(graphs.size());
    for (const Table& one : signatures) {
      one.AllowOnly(
          {signature::kInputs, signature::kOutputs, signature::kKey, signature::kSubgraph});
      const auto index = one.Scalar<uint32_t>(signature::kSubgraph);
      RequireIntact(index < graphs.size() && !taken[index], "a signature has no graph of its own");
      taken[index] = true;
      ReadNames(one, &graphs[index]);
      RequireIntact(named.emplace(one.Text(signature::kKey), std::move(graphs[index])).second,
                    "two signatures have the same name");
    }
    return named;
  }

 private:
  void ReadBuffers(const Table& root) {
    uint64_t total = 0;
    for (const Table& one : root.Children(model::kBuffers)) {
      one.AllowOnly({buffer::kData});
      const auto data = one.List<uint8_t>(buffer::kData);
      Data content = {nullptr, data.size()};
      if (data.size() > 0) {
        RequireIntact(data.At(0) % kAlignment == 0, "a constant is not aligned");
        content.begin = file_.data() + data.At(0);
      }
      total += data.size();
      buffers_.push_back(content);
    }
    RequireIntact(total <= file_.size(), "constants share their bytes");
    RequireIntact(!buffers_.empty() && buffers_[0].size == 0, "the buffer of no constant is full");
  }

  void ReadMetadata(const Table& root) {
    for (const Table& one : root.Children(model::kMetadata)) {
      one.AllowOnly({metadata::kName, metadata::kBuffer});
      const auto index = one.Scalar<uint32_t>(metadata::kBuffer);
      RequireIntact(one.Text(metadata::kName) == metadata::kRuntime && index < buffers_.size() &&
                        buffers_[index].size <= kMostMetadata,
                    "it has metadata that export does not write");
    }
  }

  static Code ReadCode(const Table& one) {
    one.AllowOnly({operator_code::kOldCode, operator_code::kCustomCode, operator_code::kVersion,
                   operator_code::kCode});
    const auto old_code = one.Scalar<int8_t>(operator_code::kOldCode);
    const auto code = one.Scalar<int32_t>(operator_code::kCode);
    RequireIntact(old_code == 0 || old_code == std::min(code, operator_code::kMostOldCode),
                  "an operation has two codes");
    Code operation = {FindRule(code), nullptr};
    if (operation.rule == nullptr) {
      throw Error(Error::Code::kBadBundle,
                  "operation " + std::to_string(code) + " is none that export writes");
    }
    if (operation.rule != &kCustomRule) {
      RequireIntact(!one.Has(operator_code::kCustomCode), "an operation has two names");
      return operation;
    }
    operation.custom = ops::Find(std::string(one.Text(operator_code::kCustomCode)));
    RequireIntact(operation.custom != nullptr, "its custom operation is unavailable");
    return operation;
  }

  Graph ReadGraph(const Table& one) {
    one.AllowOnly({subgraph::kTensors, subgraph::kInputs, subgraph::kOutputs, subgraph::kOperators,
                   subgraph::kName});
    one.Text(subgraph::kName);
    Graph graph;
    const std::vector<Table> tensors = one.Children(subgraph::kTensors);
    num_tensors_ += tensors.size();
    RequireIntact(num_tensors_ <= kMostTensors, "it has too many tensors");
    for (const Table& table : tensors) graph.tensors.push_back(ReadTensor(table, tensors.size()));
    std::vector<bool> has_value;
    for (const GraphTensor& tensor : graph.tensors) has_value.push_back(tensor.data != nullptr);
    graph.inputs = Indices(one, subgraph::kInputs, graph);
    for (int32_t index : graph.inputs) Value(index, &has_value);
    for (const Table& table : one.Children(subgraph::kOperators)) {
      RequireIntact(++num_operators_ <= kMostOperators, "it has too many operators");
      graph.operators.push_back(ReadOperator(table, graph, &has_value));
    }
    graph.outputs = Indices(one, subgraph::kOutputs, graph);
    std::vector<bool> is_output(graph.tensors.size());
    for (int32_t index : graph.outputs) {
      const auto place = static_cast<size_t>(index);
      RequireIntact(
          has_value[place] && graph.tensors[place].data == nullptr && !is_output[place] &&
              std::find(graph.inputs.begin(), graph.inputs.end(), index) == graph.inputs.end(),
          "an output is not computed, or there twice");
      is_output[place] = true;
    }
    FindDone(is_output, &graph);
    return graph;
  }

  // What is computed of constants alone is kept for the next run.
  static void FindDone(const std::vector<bool>& is_output, Graph* graph) {
    std::vector<bool> is_kept = is_output;
    for (size_t i = 0; i < graph->tensors.size(); ++i) {
      if (graph->tensors[i].data != nullptr) is_kept[i] = true;
    }
    for (const GraphOperator& one : graph->operators) {
      const bool is_constant = std::all_of(one.inputs.begin(), one.inputs.end(), [&](int32_t i) {
        return i < 0 || (is_kept[static_cast<size_t>(i)] && !is_output[static_cast<size_t>(i)]);
      });
      for (int32_t index : one.outputs) {
        if (is_constant) is_kept[static_cast<size_t>(index)] = true;
      }
    }
    for (int32_t index : graph->inputs) is_kept[static_cast<size_t>(index)] = true;
    for (size_t i = graph->operators.size(); i-- > 0;) {
      GraphOperator& one = graph->operators[i];
      for (const auto* list : {&one.inputs, &one.outputs}) {
        for (int32_t index : *list) {
          if (index < 0 || is_kept[static_cast<size_t>(index)]) continue;
          is_kept[static_cast<size_t>(index)] = true;
          one.done.push_back(index);
        }
      }
    }
  }

  // Gives a tensor its only value.
  static void Value(int32_t index, std::vector<bool>* has_value) {
    RequireIntact(!(*has_value)[static_cast<size_t>(index)], "a tensor has two values");
    (*has_value)[static_cast<size_t>(index)] = true;
  }

  GraphTensor ReadTensor(const Table& one, size_t num_tensors) const {
    one.AllowOnly({tensor::kShape, tensor::kType, tensor::kBuffer, tensor::kName,
                   tensor::kQuantization, tensor::kOpenShape, tensor::kHasRank});
    one.Text(tensor::kName);
    one.Flag(tensor::kHasRank);
    GraphTensor read = {};
    read.element = static_cast<Element>(one.Scalar<int8_t>(tensor::kType));
    RequireIntact(BytesOf(read.element, 2) > 0, "a tensor is of a type that export does not write");
    const auto extents = one.List<int32_t>(tensor::kShape);
    RequireIntact(extents.size() <= kMostRank, "a tensor has too many dimensions");
    read.shape.rank = static_cast<int32_t>(extents.size());
    uint64_t elements = 1;
    for (size_t i = 0; i < extents.size(); ++i) {
      RequireIntact(extents[i] >= 1, "a tensor is empty");
      read.shape.dims[i] = extents[i];
      elements *= static_cast<uint64_t>(extents[i]);
      RequireIntact(elements <= kMostElements, "a tensor is too large");
    }
    const auto open = one.List<int32_t>(tensor::kOpenShape);
    RequireIntact(open.size() == 0 || open.size() == extents.size(), "a shape is ambiguous");
    for (size_t i = 0; i < open.size(); ++i) {
      const bool is_open = open[i] == -1 && extents[i] == 1;
      RequireIntact(is_open || open[i] == extents[i], "a shape is ambiguous");
      if (is_open) read.open |= uint32_t{1} << i;
    }
    const auto index = one.Scalar<uint32_t>(tensor::kBuffer);
    RequireIntact(index < buffers_.size(), "a buffer is missing");
    const Data& data = buffers_[index];
    read.data = data.begin;
    if (data.begin != nullptr) {
      RequireIntact(read.open == 0 && data.size == BytesOf(read.element, elements),
                    "a constant is not as large as its shape");
    }
    RequireIntact(data.begin != nullptr || read.element != Element::kI4,
                  "a tensor of int4 is not constant");
    if (const auto grid = one.Child(tensor::kQuantization)) {
      read.grid = ReadGrid(*grid, read, num_tensors);
    }
    return read;
  }

  static Grid ReadGrid(const Table& one, const GraphTensor& tensor, size_t num_tensors) {
    one.AllowOnly({quantization::kScale, quantization::kZeroPoint, quantization::kDetailsType,
                   quantization::kDetails, quantization::kAxis});
    Grid grid;
    const auto scales = one.List<float>(quantization::kScale);
    const auto zero_points = one.List<int64_t>(quantization::kZeroPoint);
    const auto details = one.Child(quantization::kDetails);
    const auto type = one.Scalar<uint8_t>(quantization::kDetailsType);
    if (type != 0 || details) {
      RequireIntact(type == quantization::kBlockwise && details && scales.size() == 0 &&
                        zero_points.size() == 0,
                    "a tensor has another type of grid");
      details->AllowOnly({blockwise::kScales, blockwise::kZeroPoints, blockwise::kBlockSize});
      grid.granularity = Grid::Granularity::kBlocks;
      grid.block_scales = details->Scalar<int32_t>(blockwise::kScales);
      grid.block = details->Scalar<int32_t>(blockwise::kBlockSize);
      RequireIntact(grid.block_scales >= 0 &&
                        static_cast<size_t>(grid.block_scales) < num_tensors &&
                        details->Scalar<int32_t>(blockwise::kZeroPoints) == -1 && grid.block > 0,
                    "the blocks of a tensor are impossible");
      return grid;
    }
    if (scales.size() == 0) return grid;
    RequireIntact(zero_points.size() == scales.size(), "a grid has not a zero for each scale");
    for (size_t i = 0; i < scales.size(); ++i) {
      // Rows of zeros have a scale of 0.
      const bool may_be_zero = scales.size() > 1 && scales[i] == 0;
      RequireIntact(may_be_zero || (scales[i] > kLeastScale && scales[i] < kMostScale),
                    "a grid has an impossible scale");
      const int64_t zero = zero_points[i];
      const int64_t most = tensor.element == Element::kI8 ? 128 : 0;
      RequireIntact(zero >= -most && (zero < most || zero == 0), "a grid has an impossible zero");
      grid.centred &= zero == 0;
    }
    const auto axis = one.Scalar<int32_t>(quantization::kAxis);
    if (scales.size() == 1) {
      grid.granularity = Grid::Granularity::kTensor;
      grid.scale = scales[0];
      RequireIntact(axis == 0, "a grid has another axis");
      return grid;
    }
    grid.granularity = Grid::Granularity::kChannels;
    grid.axis = axis;
    RequireIntact(axis >= 0 && axis < tensor.shape.rank && tensor.data != nullptr &&
                      scales.size() == static_cast<size_t>(tensor.shape.dims[axis]),
                  "a grid has not as many scales as there are channels");
    return grid;
  }

  GraphOperator ReadOperator(const Table& one, const Graph& graph,
                             std::vector<bool>* has_value) const {
    one.AllowOnly({operation::kOpcode, operation::kInputs, operation::kOutputs,
                   operation::kOptionsType, operation::kOptions, operation::kCustomOptions});
    const auto opcode = one.Scalar<uint32_t>(operation::kOpcode);
    RequireIntact(opcode < codes_.size(), "an operation is missing");
    const Code& code = codes_[opcode];
    const Rule& rule = *code.rule;
    GraphOperator read = {&rule, code.custom, {}, {}, {}, {}};
    const auto inputs = one.List<int32_t>(operation::kInputs);
    const auto outputs = one.List<int32_t>(operation::kOutputs);
    RequireIntact(inputs.size() >= rule.least_inputs && inputs.size() <= rule.most_inputs &&
                      outputs.size() >= 1 && outputs.size() <= rule.most_outputs,
                  "an operator has another number of tensors");
    for (size_t i = 0; i < inputs.size(); ++i) {
      read.inputs.push_back(inputs[i]);
      if (inputs[i] == -1 && i == rule.optional_input) continue;
      RequireIntact(inputs[i] >= 0 && static_cast<size_t>(inputs[i]) < graph.tensors.size() &&
                        (*has_value)[static_cast<size_t>(inputs[i])],
                    "an operator's input has no value");
    }
    read.outputs = Indices(one, operation::kOutputs, graph);
    for (int32_t index : read.outputs) Value(index, has_value);
    ReadOptions(one, rule, read.options);
    const auto custom = one.List<uint8_t>(operation::kCustomOptions);
    RequireIntact(custom.size() <= (code.custom == nullptr ? 0 : kMostCustomOptions),
                  "an operator has options that its operation has not");
    return read;
  }

  static void ReadOptions(const Table& one, const Rule& rule, int32_t* read) {
    const auto options = one.Child(operation::kOptions);
    RequireIntact(one.Scalar<uint8_t>(operation::kOptionsType) == rule.options_type &&
                      options.has_value() == (rule.options_type != 0),
                  "an operator has options of another operation");
    if (!options) return;
    size_t field = 0;
    for (; rule.options[field].type != Option::kEnd; ++field) {
      const Option& option = rule.options[field];
      int32_t value = 0;
      switch (option.type) {
        case Option::kFlag:
          value = options->Flag(field) ? 1 : 0;
          break;
        case Option::kByte:
          value = options->Scalar<int8_t>(field);
          break;
        case Option::kOne:
          RequireIntact(options->Scalar<float>(field) == 1.0f, "an option is out of range");
          break;
        case Option::kSlope:
          RequireIntact(std::abs(options->Scalar<float>(field)) <= 1, "an option is out of range");
          break;
        case Option::kAbsent:
          RequireIntact(!options->Has(field), "an option is out of range");
          break;
        default:
          value = options->Scalar<int32_t>(field);
      }
      RequireIntact(value >= option.least && value <= option.most, "an option is out of range");
      read[field] = value;
    }
    options->AllowFirst(field);
  }

  void ReadNames(const Table& one, Graph* graph) const {
    const auto check = [&](size_t field, const std::vector<int32_t>& wanted, auto use) {
      std::vector<int32_t> tensors;
      for (const Table& map : one.Children(field)) {
        map.AllowOnly({tensor_map::kName, tensor_map::kTensor});
        tensors.push_back(map.Scalar<int32_t>(tensor_map::kTensor));
        use(map.Text(tensor_map::kName), tensors.back());
      }
      std::vector<int32_t> sorted = wanted;
      std::sort(sorted.begin(), sorted.end());
      std::sort(tensors.begin(), tensors.end());
      RequireIntact(tensors == sorted, "a signature has other tensors than its graph");
    };
    check(signature::kInputs, graph->inputs, [&](std::string_view name, int32_t index) {
      RequireIntact(graph->names.emplace(name, index).second, "two inputs have the same name");
    });
    check(signature::kOutputs, graph->outputs, [](std::string_view, int32_t) {});
  }

  static std::vector<int32_t> Indices(const Table& one, size_t field, const Graph& graph) {
    const auto list = one.List<int32_t>(field);
    std::vector<int32_t> indices;
    for (size_t i = 0; i < list.size(); ++i) {
      RequireIntact(list[i] >= 0 && static_cast<size_t>(list[i]) < graph.tensors.size(),
                    "a tensor is missing");
      indices.push_back(list[i]);
    }
    return indices;
  }

  const File file_;
  std::vector<Data> buffers_;
  std::vector<Code> codes_;
  size_t num_tensors_ = 0;
  size_t num_operators_ = 0;
};

}  // namespace

uint64_t BytesOf(Element element, uint64_t count) {
  switch (element) {
    case Element::kF32:
    case Element::kI32:
      return 4 * count;
    case Element::kF16:
    case Element::kI16:
      return 2 * count;
    case Element::kI64:
      return 8 * count;
    case Element::kBool:
    case Element::kI8:
      return count;
    case Element::kI4:
      return (count + 1) / 2;
  }
  return 0;
}

uint64_t CountOf(const ops::Shape& shape) {
  uint64_t count = 1;
  for (int32_t i = 0; i < shape.rank; ++i) count *= static_cast<uint64_t>(shape.dims[i]);
  return count;
}

Graphs ReadGraphs(const Bytes& bytes) { return Reader(bytes).Run(); }

}  // namespace tfcompress::litert
