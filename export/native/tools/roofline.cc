// Times the parts of a model's step beside what the processor can do at most.

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/error.h"
#include "kernels/levels.h"
#include "kernels/scratch.h"
#include "tools/ceilings.h"
#include "tools/json_writer.h"
#include "tools/program.h"

namespace tfcompress {
namespace {

constexpr double kRoundSeconds = 0.004;
constexpr char kUsage[] =
    "usage: tfcompress-roofline [--level NAME] [--rounds N] PART...\n"
    "\n"
    "Times parts of a step in turn, on random numbers, and prints what the processor can do at\n"
    "most and the medians as JSON. A part is one of\n"
    "\n"
    "  product,STORAGE,COUNT,ROWS,COLS,BYTES[,LISTED]\n"
    "      of COUNT rows of activations and a matrix; STORAGE is float32, int8, int8_panels, "
    "int4,\n"
    "      int4_blocks, int4_panels or int4_block_panels. Copies of the matrix are read in turn,\n"
    "      as many as take BYTES. LISTED: so many rows of the matrix, all over it\n"
    "  attention,COUNT,LENGTH,WIDTH,HEADS\n"
    "      of COUNT queries to LENGTH keys\n"
    "  rounding,COUNT,COLS\n"
    "      of COUNT rows of activations to int8\n";

double Seconds(const std::function<void()>& work, int64_t runs) {
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < runs; ++i) work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() /
         static_cast<double>(runs);
}

// What is timed, with the work of one run.
struct Part {
  std::string name;
  std::function<void()> work;
  double integer_products = 0;
  double float_products = 0;
  double bytes = 0;        // That one run reads.
  size_t working_set = 0;  // That all runs read in turn.
  uint64_t checksum = 0;   // Of what a product with integers gives, alike on all levels.
  std::vector<double> seconds = {};
};

// Random bytes that begin at a cache line.
class Memory {
 public:
  explicit Memory(size_t size) : words_((size + 2 * kAlignment) / sizeof(uint64_t)) {
    std::mt19937_64 random(1);
    std::generate(words_.begin(), words_.end(), random);
  }

  char* data() {
    const auto address = reinterpret_cast<uintptr_t>(words_.data());
    return reinterpret_cast<char*>(words_.data()) +
           (kAlignment - address % kAlignment) % kAlignment;
  }

 private:
  static constexpr size_t kAlignment = 64;
  std::vector<uint64_t> words_;
};

struct Storage {
  const char* name;
  kernels::Type type;
  int32_t block;
};

constexpr Storage kStorages[] = {
    {"float32", kernels::Type::kFloat32, 0},
    {"int8", kernels::Type::kInt8, 0},
    {"int8_panels", kernels::Type::kInt8Panels, 0},
    {"int4", kernels::Type::kInt4, 0},
    {"int4_blocks", kernels::Type::kInt4, 32},
    {"int4_panels", kernels::Type::kInt4Panels, 0},
    {"int4_block_panels", kernels::Type::kInt4Panels, 32},
};

const Storage& StorageOf(const std::string& name) {
  for (const Storage& storage : kStorages) {
    if (name == storage.name) return storage;
  }
  FailUsage("The storage is unknown", name);
}

std::vector<float> Normals(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  std::generate(values.begin(), values.end(), [&] { return normal(random); });
  return values;
}

size_t ScalesOf(const Storage& storage, int32_t rows, int32_t cols) {
  if (storage.type == kernels::Type::kFloat32) return 0;
  if (storage.block == 0) return static_cast<size_t>(rows);
  const bool panels = storage.type == kernels::Type::kInt4Panels;
  const int32_t all =
      panels ? kernels::CeilDiv(rows, kernels::kPanelRows) * kernels::kPanelRows : rows;
  return static_cast<size_t>(all) * static_cast<size_t>(cols / storage.block);
}

// A product with a matrix, copies of which are read in turn.
class Product {
 public:
  Product(const kernels::Kernels& kernels, const Storage& storage, int32_t count, int32_t rows,
          int32_t cols, size_t working_set, int32_t listed)
      : kernels_(kernels),
        matrix_bytes_(kernels::MatrixBytes(storage.type, rows, cols)),
        scales_per_matrix_(ScalesOf(storage, rows, cols)),
        copies_(std::max<size_t>(1, working_set / bytes())),
        weights_(copies_ * matrix_bytes_),
        scales_(Normals(copies_ * scales_per_matrix_ + 1)),
        bias_(Normals(static_cast<size_t>(rows))),
        x_(Normals(static_cast<size_t>(count) * static_cast<size_t>(cols))),
        y_(static_cast<size_t>(count) * static_cast<size_t>(rows)),
        quantized_(static_cast<size_t>(count) * static_cast<size_t>(kernels::QuantizedBytes(cols))),
        row_scales_(static_cast<size_t>(count)),
        weight_{storage.type, nullptr, nullptr, rows, cols, storage.block},
        selection_{0, listed > 0 ? listed : rows, nullptr} {
    if (listed > 0) {
      for (int32_t i = 0; i < listed; ++i) {
        ids_.push_back(static_cast<int32_t>(int64_t{i} * rows / listed));
      }
      selection_.ids = ids_.data();
    }
    if (storage.type == kernels::Type::kFloat32) {
      std::fill_n(reinterpret_cast<float*>(weights_.data()), copies_ * matrix_bytes_ / 4, 0.01f);
    }
    input_ = {x_.data(), cols, count, cols, nullptr, nullptr};
    kernels_.quantize(input_, quantized_.data(), row_scales_.data());
    kernels_.complete(input_, quantized_.data());
    input_.quantized = quantized_.data();
    input_.scales = row_scales_.data();
  }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  size_t bytes() const { return matrix_bytes_ + scales_per_matrix_ * sizeof(float); }

  // Of the product with the first copy, by FNV-1a.
  uint64_t Checksum() {
    copy_ = 0;
    Run();
    uint64_t sum = 14695981039346656037U;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(y_.data());
    for (size_t i = 0; i < y_.size() * sizeof(float); ++i) sum = (sum ^ bytes[i]) * 1099511628211U;
    return sum;
  }

  void Run() {
    weight_.data = weights_.data() + copy_ * matrix_bytes_;
    weight_.scales = scales_.data() + copy_ * scales_per_matrix_;
    copy_ = copy_ + 1 == copies_ ? 0 : copy_ + 1;
    kernels_.multiply(input_, weight_, selection_, bias_.data(), {y_.data(), selection_.count});
  }

 private:
  const kernels::Kernels& kernels_;
  size_t matrix_bytes_;
  size_t scales_per_matrix_;
  size_t copies_;
  Memory weights_;
  std::vector<float> scales_;
  std::vector<float> bias_;
  std::vector<float> x_;
  std::vector<float> y_;
  Memory quantized_;
  std::vector<kernels::RowScale> row_scales_;
  std::vector<int32_t> ids_;
  kernels::Weight weight_;
  kernels::Selection selection_;
  kernels::Input input_ = {};
  size_t copy_ = 0;
};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

// The whole numbers that follow some words.
std::vector<int32_t> Numbers(const std::string& part, size_t first, size_t least, size_t most) {
  const std::vector<std::string> words = Split(part);
  std::vector<int32_t> numbers;
  for (size_t i = first; i < words.size(); ++i) {
    size_t used = 0;
    try {
      numbers.push_back(std::stoi(words[i], &used));
    } catch (const std::exception&) {
    }
    if (used != words[i].size() || numbers.back() < 1)
      FailUsage("A part needs whole numbers", part);
  }
  if (numbers.size() < least || numbers.size() > most) FailUsage("A part has other numbers", part);
  return numbers;
}

Part ProductPart(const kernels::Kernels& kernels, const std::string& text) {
  const Storage& storage = StorageOf(Split(text).size() > 1 ? Split(text)[1] : "");
  const std::vector<int32_t> numbers = Numbers(text, 2, 4, 5);
  const int32_t count = numbers[0], rows = numbers[1], cols = numbers[2];
  const int32_t listed = numbers.size() > 4 ? numbers[4] : 0;
  if (listed > rows || cols % 32 != 0) FailUsage("A product needs columns in blocks of 32", text);
  auto product = std::make_shared<Product>(kernels, storage, count, rows, cols,
                                           static_cast<size_t>(numbers[3]), listed);
  const double share = listed > 0 ? static_cast<double>(listed) / rows : 1;
  Part part = {text, [product] { product->Run(); }};
  const double products = share * count * rows * cols;
  if (storage.type == kernels::Type::kFloat32) {
    part.float_products = products;
  } else {
    part.integer_products = products;
    part.checksum = product->Checksum();
  }
  part.bytes = share * static_cast<double>(product->bytes());
  part.working_set =
      std::max(static_cast<size_t>(static_cast<double>(numbers[3]) * share), kReadBytes);
  return part;
}

Part AttentionPart(const kernels::Kernels& kernels, const std::string& text) {
  const std::vector<int32_t> numbers = Numbers(text, 1, 4, 4);
  const int32_t count = numbers[0], length = numbers[1], width = numbers[2], heads = numbers[3];
  struct Rows {
    std::vector<float> queries, keys, values, scores, context;
  };
  const auto size = [&](int32_t rows) {
    return static_cast<size_t>(rows) * static_cast<size_t>(heads * width);
  };
  auto rows = std::make_shared<Rows>(
      Rows{Normals(size(count)), Normals(size(length)), Normals(size(length)),
           std::vector<float>(static_cast<size_t>(count) * static_cast<size_t>(length)),
           std::vector<float>(size(count))});
  const auto run = [=, &kernels] {
    const int32_t stride = heads * width;
    for (int32_t first = 0; first < stride; first += width) {
      kernels.attend({rows->queries.data() + first, stride, count, rows->keys.data() + first,
                      rows->values.data() + first, stride, length, width},
                     rows->scores.data(), {rows->context.data() + first, stride});
    }
  };
  Part part = {text, run};
  part.float_products = 2.0 * count * length * width * heads;
  part.bytes = 2.0 * static_cast<double>(size(length)) * sizeof(float);
  part.working_set = std::max(static_cast<size_t>(part.bytes), kReadBytes);
  return part;
}

Part RoundingPart(const kernels::Kernels& kernels, const std::string& text) {
  const std::vector<int32_t> numbers = Numbers(text, 1, 2, 2);
  const auto size = static_cast<size_t>(numbers[0]) * static_cast<size_t>(numbers[1]);
  struct Rows {
    std::vector<float> values;
    Memory quantized;
    std::vector<kernels::RowScale> scales;
  };
  auto rows =
      std::make_shared<Rows>(Rows{Normals(size),
                                  Memory(static_cast<size_t>(numbers[0]) *
                                         static_cast<size_t>(kernels::QuantizedBytes(numbers[1]))),
                                  std::vector<kernels::RowScale>(static_cast<size_t>(numbers[0]))});
  const auto run = [=, &kernels] {
    kernels.quantize({rows->values.data(), numbers[1], numbers[0], numbers[1], nullptr, nullptr},
                     rows->quantized.data(), rows->scales.data());
  };
  Part part = {text, run};
  part.bytes = static_cast<double>(size * sizeof(float));
  part.working_set = std::max(size * sizeof(float), kReadBytes);
  return part;
}

Part PartOf(const kernels::Kernels& kernels, const std::string& text) {
  const std::string kind = text.substr(0, text.find(','));
  if (kind == "product") return ProductPart(kernels, text);
  if (kind == "attention") return AttentionPart(kernels, text);
  if (kind == "rounding") return RoundingPart(kernels, text);
  FailUsage("The part is unknown", text);
}

struct Arguments {
  kernels::Level level = kernels::Best();
  int32_t rounds = 21;
  std::vector<std::string> parts;
};

Arguments Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      arguments.parts.push_back(word);
      continue;
    }
    if (++i == argc) FailUsage("An option needs a value", word + " without");
    if (word == "--level") {
      arguments.level = kernels::FromName(argv[i]);
    } else if (word == "--rounds") {
      arguments.rounds = std::max(1, WholeNumber(word, argv[i]));
    } else {
      FailUsage("The option is unknown", word);
    }
  }
  if (arguments.parts.empty()) FailUsage("There must be a part", "none");
  return arguments;
}

volatile double sink = 0;

// Runs of a part's work in a round.
int64_t RunsInARound(const std::function<void()>& work) {
  const double once = std::min(Seconds(work, 3), Seconds(work, 10));
  return std::max<int64_t>(1, static_cast<int64_t>(kRoundSeconds / std::max(once, 1e-7)));
}

// Parts that are as fast as the processor can be.
std::vector<Part> CeilingParts(const Ceilings& ceilings, const std::vector<Part>& parts) {
  constexpr int64_t kRounds = 10000;
  std::vector<Part> all;
  all.push_back({"integers", [&] { sink = ceilings.multiply_integers(kRounds); }});
  all.back().integer_products = static_cast<double>(ceilings.integer_products * kRounds);
  all.push_back({"floats", [&] { sink = static_cast<double>(ceilings.multiply_floats(kRounds)); }});
  all.back().float_products = static_cast<double>(ceilings.float_products * kRounds);
  std::vector<size_t> sizes;
  for (const Part& part : parts) sizes.push_back(part.working_set / kReadBytes * kReadBytes);
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  auto memory = std::make_shared<Memory>(sizes.back());
  for (size_t size : sizes) {
    all.push_back(
        {std::to_string(size), [=, &ceilings] { sink = ceilings.read(memory->data(), size); }});
    all.back().bytes = static_cast<double>(size);
  }
  return all;
}

std::string Run(int argc, char** argv) {
  const Arguments arguments = Parse(argc, argv);
  const kernels::Kernels& kernels = kernels::For(arguments.level);
  std::vector<Part> parts;
  for (const std::string& text : arguments.parts) parts.push_back(PartOf(kernels, text));
  const Ceilings* const ceilings = CeilingsOf(arguments.level);
  std::vector<Part> limits;
  if (ceilings != nullptr) limits = CeilingParts(*ceilings, parts);
  std::vector<Part*> all;
  for (Part& part : limits) all.push_back(&part);
  for (Part& part : parts) all.push_back(&part);
  std::vector<int64_t> runs;
  for (const Part* part : all) runs.push_back(RunsInARound(part->work));
  for (int32_t round = 0; round < arguments.rounds; ++round) {
    for (size_t i = 0; i < all.size(); ++i) {
      all[i]->seconds.push_back(Seconds(all[i]->work, runs[i]));
    }
  }
  JsonWriter json;
  json.Field("level", std::string(kernels::Name(arguments.level)));
  for (const auto& [name, list] : {std::pair{"ceilings", &limits}, std::pair{"parts", &parts}}) {
    json.BeginList(name);
    for (const Part& part : *list) {
      json.BeginObject();
      json.Field("part", part.name);
      json.Field("microseconds", Median(part.seconds) * 1e6);
      json.Field("integer_products", part.integer_products);
      json.Field("float_products", part.float_products);
      json.Field("bytes", part.bytes);
      json.Field("working_set", part.working_set);
      if (part.checksum != 0) json.Field("checksum", part.checksum);
      json.End();
    }
    json.End();
  }
  return json.Finish();
}

}  // namespace
}  // namespace tfcompress

int main(int argc, char** argv) {
  return tfcompress::RunProgram("tfcompress-roofline", tfcompress::kUsage, argc, argv,
                                tfcompress::Run);
}
