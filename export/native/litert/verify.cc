#include "litert/verify.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "tokenizer/utf8.h"

namespace tfcompress::litert {
namespace {

constexpr char kIdentifier[] = "TFL3";
constexpr size_t kMostDimensions = 8;
constexpr uint64_t kMostElements = uint64_t{1} << 40;
// Operators may omit inputs from this one on.
constexpr size_t kOptionalInput = 2;

void Require(bool holds, const char* what) {
  if (!holds) throw Error(Error::Code::kBadBundle, what);
}

// The fields of the schema that are read, by table.
namespace model {
enum { kOperatorCodes = 1, kSubgraphs = 2, kBuffers = 4, kMetadata = 6, kSignatures = 7 };
}
namespace operator_code {
enum { kOldCode = 0, kCustomCode = 1, kCode = 3 };
// LiteRT does not count its inputs.
constexpr int kBatchMatMul = 126;
constexpr int kTranspose = 39;
}  // namespace operator_code
namespace buffer {
enum { kData = 0, kOffset = 1, kSize = 2 };
}
namespace metadata {
enum { kName = 0, kBuffer = 1 };
}
namespace signature {
enum { kInputs = 0, kOutputs = 1, kKey = 2, kSubgraph = 4 };
}
namespace tensor_map {
enum { kName = 0, kTensor = 1 };
}
namespace subgraph {
enum { kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3, kName = 4 };
}
namespace tensor {
enum {
  kShape = 0,
  kType = 1,
  kBuffer = 2,
  kName = 3,
  kQuantization = 4,
  kIsVariable = 5,
  kSparsity = 6,
  kShapeSignature = 7
};
}
namespace quantization {
enum { kMin = 0, kMax = 1, kScale = 2, kZeroPoint = 3, kDetailsType = 4, kDetails = 5, kAxis = 6 };
constexpr int kBlockwise = 2;
}  // namespace quantization
namespace blockwise {
enum { kScales = 0, kZeroPoints = 1, kBlockSize = 2 };
}
namespace operation {
enum {
  kOpcode = 0,
  kInputs = 1,
  kOutputs = 2,
  kOptionsType = 3,
  kOptions = 4,
  kCustomOptions = 5,
  kIntermediates = 8,
  kLargeOptionsOffset = 9,
  kLargeOptionsSize = 10,
  kOptions2 = 12
};
// Those whose options hold a list of integers.
constexpr int kReshape = 17, kSqueeze = 30;
}  // namespace operation

// Bits of an element by type; 0 where that is not known.
uint64_t Bits(int8_t type) {
  constexpr uint8_t kBits[] = {32, 16,  32, 8, 64, 0,  8,  16, 64, 8,
                               64, 128, 64, 0, 0,  32, 16, 4,  16, 2};
  const auto index = static_cast<uint8_t>(type);
  return index < sizeof(kBits) ? kBits[index] : 0;
}

class Table;

// The bytes of a flatbuffer, of which none beyond the end are read.
class File {
 public:
  explicit File(const Bytes& bytes) : data_(bytes.data()), size_(bytes.size()) {}

  bool Holds(uint64_t at, uint64_t size) const { return at <= size_ && size <= size_ - at; }

  template <typename T>
  T Read(uint64_t at) const {
    Require(Holds(at, sizeof(T)), "it points beyond its end");
    T value;
    std::memcpy(&value, data_ + at, sizeof(T));
    return value;
  }

  std::string_view Text(uint64_t at, uint64_t size) const {
    Require(Holds(at, size), "a text goes beyond its end");
    return {reinterpret_cast<const char*>(data_ + at), static_cast<size_t>(size)};
  }

  // Where an offset leads.
  uint64_t Follow(uint64_t at) const { return at + Read<uint32_t>(at); }

 private:
  const uint8_t* data_;
  uint64_t size_;
};

// Values side by side, each of which may be read.
template <typename T>
class Vector {
 public:
  Vector() = default;
  Vector(const File& file, uint64_t at) : file_(&file), begin_(at + sizeof(uint32_t)) {
    count_ = file.Read<uint32_t>(at);
    Require(file.Holds(begin_, count_ * sizeof(T)), "a list goes beyond its end");
  }

  size_t size() const { return count_; }
  uint64_t At(size_t index) const { return begin_ + index * sizeof(T); }
  T operator[](size_t index) const { return file_->Read<T>(At(index)); }

 private:
  const File* file_ = nullptr;
  uint64_t begin_ = 0;
  uint64_t count_ = 0;
};

class Table {
 public:
  Table(const File& file, uint64_t at) : file_(&file), at_(at) {
    fields_ = at - static_cast<int64_t>(file.Read<int32_t>(at));
    const auto fields_size = file.Read<uint16_t>(fields_);
    size_ = file.Read<uint16_t>(fields_ + sizeof(uint16_t));
    Require(fields_size >= kHeader && fields_size % sizeof(uint16_t) == 0 && size_ >= kHeader &&
                file.Holds(fields_, fields_size) && file.Holds(at, size_),
            "a table goes beyond its end");
    num_fields_ = (fields_size - kHeader) / sizeof(uint16_t);
    for (size_t i = 0; i < num_fields_; ++i)
      Require(Offset(i) < size_, "a table has no such field");
  }

  template <typename T>
  T Scalar(size_t field) const {
    return Has(field) ? file_->Read<T>(Place(field, sizeof(T))) : T();
  }

  // None if the field is absent.
  template <typename T>
  Vector<T> List(size_t field) const {
    return Has(field) ? Vector<T>(*file_, Target(field)) : Vector<T>();
  }

  std::optional<Table> Child(size_t field) const {
    if (!Has(field)) return std::nullopt;
    return Table(*file_, Target(field));
  }

  std::vector<Table> Children(size_t field) const {
    const auto offsets = List<uint32_t>(field);
    std::vector<Table> tables;
    for (size_t i = 0; i < offsets.size(); ++i) {
      tables.emplace_back(*file_, file_->Follow(offsets.At(i)));
    }
    return tables;
  }

  // A text ends with a zero that its length leaves out.
  void CheckText(size_t field) const {
    if (!Has(field)) return;
    const auto characters = List<char>(field);
    const std::string_view text = file_->Text(characters.At(0), characters.size() + 1);
    Require(text.back() == '\0' && FindInvalidUtf8(text) == text.npos,
            "a text does not end, or is not UTF-8");
  }

 private:
  static constexpr size_t kHeader = 4;

  uint16_t Offset(size_t field) const {
    return file_->Read<uint16_t>(fields_ + kHeader + field * sizeof(uint16_t));
  }
  bool Has(size_t field) const { return field < num_fields_ && Offset(field) != 0; }
  uint64_t Place(size_t field, size_t size) const {
    Require(Offset(field) >= kHeader && Offset(field) + size <= size_, "a table has no such field");
    return at_ + Offset(field);
  }
  uint64_t Target(size_t field) const { return file_->Follow(Place(field, sizeof(uint32_t))); }

  const File* file_;
  uint64_t at_;
  uint64_t fields_;
  size_t size_;
  size_t num_fields_;
};

class Verifier {
 public:
  explicit Verifier(const Bytes& bytes) : file_(bytes) {}

  void Run() {
    Require(file_.Holds(0, 8) && file_.Read<uint32_t>(4) == Identifier(), "it is no .tflite file");
    const Table root(file_, file_.Follow(0));
    for (const Table& one : root.Children(model::kBuffers)) {
      buffers_.push_back(DataSize(one));
      places_.push_back(DataPlace(one));
    }
    for (const Table& one : root.Children(model::kMetadata)) {
      one.CheckText(metadata::kName);
      Require(one.Scalar<uint32_t>(metadata::kBuffer) < buffers_.size(), "a buffer is missing");
    }
    for (const Table& one : root.Children(model::kOperatorCodes)) {
      one.CheckText(operator_code::kCustomCode);
      codes_.push_back(std::max<int32_t>(one.Scalar<int8_t>(operator_code::kOldCode),
                                         one.Scalar<int32_t>(operator_code::kCode)));
    }
    std::vector<size_t> num_tensors;
    for (const Table& one : root.Children(model::kSubgraphs)) {
      num_tensors.push_back(CheckSubgraph(one));
    }
    for (const Table& one : root.Children(model::kSignatures)) {
      one.CheckText(signature::kKey);
      const auto index = one.Scalar<uint32_t>(signature::kSubgraph);
      Require(index < num_tensors.size(), "a signature has no graph");
      for (size_t field : {signature::kInputs, signature::kOutputs}) {
        for (const Table& map : one.Children(field)) {
          map.CheckText(tensor_map::kName);
          Require(map.Scalar<uint32_t>(tensor_map::kTensor) < num_tensors[index],
                  "a signature has no such tensor");
        }
      }
    }
  }

 private:
  static uint32_t Identifier() {
    uint32_t identifier;
    std::memcpy(&identifier, kIdentifier, sizeof(identifier));
    return identifier;
  }

  // Bytes of a buffer, which may stand behind the flatbuffer.
  uint64_t DataSize(const Table& one) const {
    const auto size = one.Scalar<uint64_t>(buffer::kSize);
    const auto offset = one.Scalar<uint64_t>(buffer::kOffset);
    if (offset <= 1) return one.List<uint8_t>(buffer::kData).size();
    Require(file_.Holds(offset, size), "a buffer goes beyond its end");
    return size;
  }

  uint64_t DataPlace(const Table& one) const {
    const auto offset = one.Scalar<uint64_t>(buffer::kOffset);
    return offset > 1 ? offset : one.List<uint8_t>(buffer::kData).At(0);
  }

  // Gives the number of tensors.
  size_t CheckSubgraph(const Table& graph) const {
    graph.CheckText(subgraph::kName);
    const std::vector<Table> tensors = graph.Children(subgraph::kTensors);
    std::vector<bool> has_value;
    for (const Table& one : tensors) has_value.push_back(CheckTensor(one, tensors.size()));
    const auto inputs = Indices(graph, subgraph::kInputs, tensors.size());
    for (size_t index : inputs) has_value[index] = true;
    for (const Table& one : graph.Children(subgraph::kOperators)) {
      CheckOperator(one, &has_value);
      CheckPermutation(one, tensors);
    }
    for (size_t index : Indices(graph, subgraph::kOutputs, tensors.size())) {
      Require(has_value[index], "an output has no value");
    }
    return tensors.size();
  }

  // Whether the tensor has a value before any operator runs.
  bool CheckTensor(const Table& one, size_t num_tensors) const {
    one.CheckText(tensor::kName);
    Require(!one.Child(tensor::kSparsity), "a tensor is sparse");
    const auto shape = one.List<int32_t>(tensor::kShape);
    Require(shape.size() <= kMostDimensions, "a tensor has too many dimensions");
    uint64_t elements = 1;
    for (size_t i = 0; i < shape.size(); ++i) {
      Require(shape[i] >= 0, "a shape is negative");
      elements *= static_cast<uint64_t>(shape[i]);
      Require(elements <= kMostElements, "a tensor is too large");
    }
    const auto open = one.List<int32_t>(tensor::kShapeSignature);
    Require(open.size() == 0 || open.size() == shape.size(), "a shape is ambiguous");
    for (size_t i = 0; i < open.size(); ++i) Require(open[i] >= -1, "a shape is negative");
    const auto index = one.Scalar<uint32_t>(tensor::kBuffer);
    Require(index < buffers_.size(), "a buffer is missing");
    const uint64_t bits = Bits(one.Scalar<int8_t>(tensor::kType));
    Require(buffers_[index] == 0 || (elements * bits + 7) / 8 <= buffers_[index],
            "a constant is smaller than its shape");
    if (const auto grid = one.Child(tensor::kQuantization)) CheckGrid(*grid, shape, num_tensors);
    return buffers_[index] > 0 || elements == 0 || one.Scalar<bool>(tensor::kIsVariable);
  }

  void CheckGrid(const Table& grid, const Vector<int32_t>& shape, size_t num_tensors) const {
    grid.List<float>(quantization::kMin);
    grid.List<float>(quantization::kMax);
    const size_t scales = grid.List<float>(quantization::kScale).size();
    const size_t zero_points = grid.List<int64_t>(quantization::kZeroPoint).size();
    Require(zero_points <= std::max<size_t>(scales, 1), "a grid has more zero points than scales");
    if (scales > 1) {
      const auto axis = grid.Scalar<int32_t>(quantization::kAxis);
      Require(axis >= 0 && static_cast<size_t>(axis) < shape.size() &&
                  scales == static_cast<size_t>(shape[static_cast<size_t>(axis)]),
              "a grid has not as many scales as there are channels");
    }
    const auto details = grid.Child(quantization::kDetails);
    if (!details || grid.Scalar<uint8_t>(quantization::kDetailsType) != quantization::kBlockwise) {
      return;
    }
    for (size_t field : {blockwise::kScales, blockwise::kZeroPoints}) {
      const auto index = details->Scalar<int32_t>(field);
      Require(index >= -1 && index < static_cast<int64_t>(num_tensors), "a tensor is missing");
    }
    Require(details->Scalar<int32_t>(blockwise::kBlockSize) > 0, "a block is empty");
  }

  void CheckOperator(const Table& one, std::vector<bool>* has_value) const {
    const auto code = one.Scalar<uint32_t>(operation::kOpcode);
    Require(code < codes_.size(), "an operation is missing");
    const size_t num_tensors = has_value->size();
    const auto inputs = one.List<int32_t>(operation::kInputs);
    Require(codes_[code] != operator_code::kBatchMatMul || inputs.size() >= 2,
            "an operator has too few inputs");
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == -1 && i >= kOptionalInput) continue;
      Require(inputs[i] >= 0 && static_cast<size_t>(inputs[i]) < num_tensors,
              "an operator has no such input");
      Require((*has_value)[static_cast<size_t>(inputs[i])], "an operator's input has no value");
    }
    Indices(one, operation::kIntermediates, num_tensors);
    for (size_t index : Indices(one, operation::kOutputs, num_tensors)) {
      Require(!(*has_value)[index], "a tensor has two values");
      (*has_value)[index] = true;
    }
    const auto type = one.Scalar<uint8_t>(operation::kOptionsType);
    const auto options = one.Child(operation::kOptions);
    if (options && (type == operation::kReshape || type == operation::kSqueeze)) {
      options->List<int32_t>(0);
    }
    one.Child(operation::kOptions2);
    one.List<uint8_t>(operation::kCustomOptions);
    Require(file_.Holds(one.Scalar<uint64_t>(operation::kLargeOptionsOffset),
                        one.Scalar<uint64_t>(operation::kLargeOptionsSize)),
            "an operator's options go beyond its end");
  }

  // A transposition goes by the numbers of all axes, which LiteRT takes as they are.
  void CheckPermutation(const Table& one, const std::vector<Table>& tensors) const {
    const auto inputs = one.List<int32_t>(operation::kInputs);
    const auto code = one.Scalar<uint32_t>(operation::kOpcode);
    if (codes_[code] != operator_code::kTranspose || inputs.size() < 2) return;
    const Table& constant = tensors[static_cast<size_t>(inputs[1])];
    const auto index = constant.Scalar<uint32_t>(tensor::kBuffer);
    std::vector<int32_t> axes;
    for (uint64_t at = 0; at + sizeof(int32_t) <= buffers_[index]; at += sizeof(int32_t)) {
      axes.push_back(file_.Read<int32_t>(places_[index] + at));
      Require(axes.size() <= kMostDimensions, "a transposition has too many axes");
    }
    std::sort(axes.begin(), axes.end());
    for (size_t i = 0; i < axes.size(); ++i) {
      Require(axes[i] == static_cast<int32_t>(i), "a transposition has an axis that is not there");
    }
  }

  std::vector<size_t> Indices(const Table& one, size_t field, size_t num_tensors) const {
    const auto list = one.List<int32_t>(field);
    std::vector<size_t> indices;
    for (size_t i = 0; i < list.size(); ++i) {
      Require(list[i] >= 0 && static_cast<size_t>(list[i]) < num_tensors, "a tensor is missing");
      indices.push_back(static_cast<size_t>(list[i]));
    }
    return indices;
  }

  const File file_;
  std::vector<uint64_t> buffers_;  // Their sizes.
  std::vector<uint64_t> places_;   // And where they are.
  std::vector<int32_t> codes_;     // The operations.
};

}  // namespace

void VerifyModel(const std::string& name, const Bytes& bytes) {
  try {
    Verifier(bytes).Run();
  } catch (const Error& error) {
    throw Error(error.code(), name + ": " + error.what() + "; export or copy the bundle again");
  }
}

}  // namespace tfcompress::litert
