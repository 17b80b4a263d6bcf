#include "litert/verify.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/error.h"
#include "litert/flatbuffer.h"
#include "litert/rules.h"

namespace tfcompress::litert {
namespace {

// Bytes of tensors that are needed at once, whatever the inputs: so many, and so many for each byte
// of the file, of inputs and outputs, and for each pair of tokens.
constexpr uint64_t kMemory = uint64_t{1} << 27;
constexpr uint64_t kMemoryOfFile = 8, kMemoryOfTensors = 8, kMemoryOfPair = 512;
// Products and the like, in the same way; of the file, for each token.
constexpr uint64_t kWork = uint64_t{1} << 27;
constexpr uint64_t kWorkOfFile = 96, kWorkOfTensors = 64, kWorkOfPair = uint64_t{1} << 17;
constexpr int32_t kFullyConnected = 9;
constexpr uint64_t kMostTokens = 1 << 20;
// What a value costs where no product is computed.
constexpr uint64_t kWorkOfValue = 8;

[[noreturn]] void Fail(const std::string& name, const std::string& what) {
  throw Error(Error::Code::kBadBundle, "The model cannot be run", name + ", " + what, kCopyAgain);
}

template <typename Action>
void Named(const std::string& name, Action action) {
  try {
    action();
  } catch (const Error& error) {
    Fail(name, error.what());
  }
}

std::vector<ops::Shape> StoredShapes(const Graph& graph) {
  std::vector<ops::Shape> shapes;
  for (const GraphTensor& tensor : graph.tensors) shapes.push_back(tensor.shape);
  return shapes;
}

}  // namespace

VerifiedModel::VerifiedModel(const std::string& name, const Bytes& bytes)
    : name_(name), bytes_(bytes) {
  Named(name, [&] {
    graphs_ = ReadGraphs(bytes);
    CheckWeights();
    for (const auto& [key, graph] : graphs_) CheckSizes(graph, StoredShapes(graph), true);
  });
}

void VerifiedModel::Check(const std::string& signature,
                          const std::map<std::string, std::vector<int32_t>>& inputs) const {
  const auto it = graphs_.find(signature);
  if (it == graphs_.end()) Fail(name_, "which lacks the signature '" + signature + "'");
  const Graph& graph = it->second;
  std::vector<ops::Shape> shapes = StoredShapes(graph);
  for (const auto& [input, extents] : inputs) {
    const auto index = static_cast<size_t>(graph.names.at(input));
    const GraphTensor& tensor = graph.tensors[index];
    for (size_t i = 0; i < extents.size(); ++i) {
      const bool is_open = extents[i] >= 1 && (tensor.open >> i & 1) != 0;
      if (!is_open && extents[i] != tensor.shape.dims[i]) {
        Fail(name_, "whose input '" + input + "' of '" + signature + "' has a fixed shape");
      }
      shapes[index].dims[i] = extents[i];
    }
  }
  Named(name_, [&] { CheckSizes(graph, std::move(shapes), false); });
}

void VerifiedModel::CheckWeights() {
  // LiteRT copies a matrix anew for each bias that it has.
  std::set<std::pair<const void*, const void*>> copied;
  uint64_t total = 0;
  for (const auto& named : graphs_) {
    const Graph& graph = named.second;
    const auto identity = [&graph](int32_t index) -> const void* {
      if (index < 0) return nullptr;
      const GraphTensor& tensor = graph.tensors[static_cast<size_t>(index)];
      return tensor.data != nullptr ? static_cast<const void*>(tensor.data) : &tensor;
    };
    for (const GraphOperator& one : graph.operators) {
      if (one.rule != FindRule(kFullyConnected)) continue;
      if (!copied.emplace(identity(one.inputs[1]), identity(one.inputs[2])).second) {
        shares_weights_ = true;
        continue;
      }
      const GraphTensor& weight = graph.tensors[static_cast<size_t>(one.inputs[1])];
      total += BytesOf(weight.element, CountOf(weight.shape));
    }
  }
  RequireIntact(total <= kMemory + kMemoryOfFile * bytes_.size(), "its weights are used too often");
}

void VerifiedModel::CheckSizes(const Graph& graph, std::vector<ops::Shape> shapes,
                               bool are_stored) const {
  Sizes sizes = {std::move(shapes), {}, {}, are_stored};
  const auto bytes_of = [&](int32_t index) {
    const auto place = static_cast<size_t>(index);
    return BytesOf(graph.tensors[place].element, CountOf(sizes.shapes[place]));
  };
  // What inputs and outputs take, and how many tokens there are.
  uint64_t tokens = 1, input_bytes = 0;
  for (int32_t index : graph.inputs) {
    const GraphTensor& tensor = graph.tensors[static_cast<size_t>(index)];
    const uint64_t bytes = bytes_of(index);
    input_bytes += bytes;
    if (tensor.element == Element::kI32 && tensor.open != 0) {
      tokens = std::max(tokens, bytes / sizeof(int32_t));
    }
  }
  tokens = std::min(tokens, kMostTokens);
  const uint64_t pairs = tokens * tokens;
  const uint64_t most_memory = kMemory + kMemoryOfFile * bytes_.size() +
                               kMemoryOfTensors * input_bytes + kMemoryOfPair * pairs;
  const uint64_t most_work = kWork + kWorkOfFile * bytes_.size() * tokens +
                             kWorkOfTensors * input_bytes + kWorkOfPair * pairs;
  uint64_t memory = 0, work = 0;
  for (const GraphOperator& own : graph.operators) {
    Node node(graph, own, &sizes);
    own.rule->infer(&node);
    work += node.work();
    for (int32_t index : own.outputs) {
      const uint64_t bytes = bytes_of(index);
      memory += bytes;
      work += kWorkOfValue * bytes / sizeof(float);
    }
    if (memory > most_memory || work > most_work) {
      node.Fail("on these shapes it takes more memory or time than any such model needs");
    }
    for (int32_t index : own.done) memory -= bytes_of(index);
  }
}

}  // namespace tfcompress::litert
