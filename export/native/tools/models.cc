// Times models side by side, whatever they compute: those with custom operations against those
// without.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "common/error.h"
#include "kernels/levels.h"
#include "litert/api.h"
#include "litert/model.h"
#include "tools/json_writer.h"
#include "tools/program.h"

namespace tfcompress {
namespace {

constexpr double kRoundSeconds = 0.01;
constexpr char kUsage[] =
    "usage: tfcompress-models MODEL... [--signature NAME] [--shape INPUT=2x3] [--value INPUT=N]\n"
    "                         [--rounds N] [--runs N] [--threads N] [--library FILE]\n"
    "\n"
    "Runs a signature of each model in turn, on random numbers, and prints the median time of one\n"
    "run as JSON.\n"
    "\n"
    "  --signature NAME   (default: serving_default)\n"
    "  --shape INPUT=2x3  extents of an input, where the model leaves them open (they are 1 else)\n"
    "  --value INPUT=N    what an input of integers holds (default 0)\n"
    "  --rounds N         rounds, of which the median is taken (default 21)\n"
    "  --runs N           runs of each model in a round (default: as many as take 10 ms)\n"
    "  --threads N        threads of LiteRT (default 1)\n"
    "  --memory BYTES     also measure how fast so much memory is read, again and again\n"
    "  --library FILE     LiteRT's library (default: TFCOMPRESS_LITERT, else libLiteRt.so)\n";

struct Arguments {
  std::vector<std::string> models;
  std::string signature = "serving_default";
  std::map<std::string, litert::Shape> shapes;
  std::map<std::string, int32_t> values;
  std::string library;
  int32_t rounds = 21;
  int32_t runs = 0;
  int32_t threads = 1;
  int32_t memory = 0;
};

Arguments Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option.rfind("--", 0) != 0) {
      arguments.models.push_back(option);
      continue;
    }
    if (++i == argc) FailUsage("An option needs a value", option + " without");
    const std::string text = argv[i];
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string value = equals == text.npos ? "" : text.substr(equals + 1);
    if (option == "--shape") {
      std::istringstream extents(value);
      for (std::string extent; std::getline(extents, extent, 'x');) {
        arguments.shapes[name].push_back(WholeNumber(option, extent));
      }
    } else if (option == "--value") {
      arguments.values[name] = WholeNumber(option, value);
    } else if (option == "--signature") {
      arguments.signature = text;
    } else if (option == "--library") {
      arguments.library = text;
    } else if (option == "--rounds") {
      arguments.rounds = std::max(1, WholeNumber(option, text));
    } else if (option == "--runs") {
      arguments.runs = WholeNumber(option, text);
    } else if (option == "--memory") {
      arguments.memory = WholeNumber(option, text);
    } else if (option == "--threads") {
      arguments.threads = std::max(1, WholeNumber(option, text));
    } else {
      FailUsage("The option is unknown", option);
    }
  }
  if (arguments.models.empty()) FailUsage("There must be a model", "none");
  return arguments;
}

// A model, ready to run.
class Runner {
 public:
  Runner(const litert::Api& api, const std::string& path, const Arguments& arguments)
      : model_(api, path, Bytes::ReadFile(path), arguments.threads),
        signature_(model_.Find(arguments.signature)) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (const auto& [name, spec] : signature_.inputs()) {
      litert::Shape shape = spec.shape;
      const auto it = arguments.shapes.find(name);
      for (size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] >= 1) continue;
        const bool has_size = it != arguments.shapes.end() && axis < it->second.size();
        shape[axis] = has_size ? std::max(it->second[axis], 1) : 1;
      }
      signature_.Resize(name, shape);
      const litert::Buffer& buffer = inputs_[name] = model_.NewBuffer(spec.type, shape);
      if (spec.type == litert::kFloat32) {
        std::generate_n(buffer.floats(), buffer.elements(), [&] { return normal(random); });
      } else {
        const auto value = arguments.values.find(name);
        std::fill_n(buffer.integers(), buffer.elements(),
                    value == arguments.values.end() ? 0 : value->second);
      }
    }
    for (const auto& [name, spec] : signature_.CurrentOutputs()) {
      // What a step updates in place has an input of its name.
      const auto input = inputs_.find(name.rfind("new_", 0) == 0 ? name.substr(4) : "");
      outputs_[name] =
          input != inputs_.end() ? input->second : model_.NewBuffer(spec.type, spec.shape);
    }
    signature_.Bind(inputs_, outputs_);
  }

  double Seconds(int32_t runs) {
    const auto begin = std::chrono::steady_clock::now();
    for (int32_t i = 0; i < runs; ++i) signature_.Run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / runs;
  }

  int32_t RunsInARound() {
    const double once = std::min(Seconds(3), Seconds(10));
    return std::max(1, static_cast<int32_t>(kRoundSeconds / std::max(once, 1e-7)));
  }

 private:
  litert::Model model_;
  litert::Model::Signature signature_;
  litert::Buffers inputs_;
  litert::Buffers outputs_;
};

// How fast memory is read that a computation does not wait for: the fastest of some rounds.
double GigabytesPerSecond(int32_t bytes, int32_t rounds) {
  const std::vector<float> numbers(static_cast<size_t>(bytes) / sizeof(float) + 1, 1);
  const kernels::Kernels& kernels = kernels::For(kernels::Best());
  double best = 0;
  for (int32_t round = 0; round < rounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    const volatile float largest =
        kernels.largest(numbers.data(), static_cast<int32_t>(numbers.size()));
    static_cast<void>(largest);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    best = std::max(best, bytes / time.count() / 1e9);
  }
  return best;
}

std::string Run(int argc, char** argv) {
  const Arguments arguments = Parse(argc, argv);
  const litert::Api& api = litert::Load(arguments.library);
  std::vector<std::unique_ptr<Runner>> runners;
  std::vector<int32_t> runs;
  for (const std::string& path : arguments.models) {
    runners.push_back(std::make_unique<Runner>(api, path, arguments));
    runs.push_back(arguments.runs > 0 ? arguments.runs : runners.back()->RunsInARound());
  }
  std::vector<std::vector<double>> seconds(runners.size());
  for (int32_t round = 0; round < arguments.rounds; ++round) {
    for (size_t i = 0; i < runners.size(); ++i) {
      seconds[i].push_back(runners[i]->Seconds(runs[i]));
    }
  }
  JsonWriter json;
  for (size_t i = 0; i < runners.size(); ++i) {
    json.BeginObject(arguments.models[i].c_str());
    json.Field("microseconds", Median(seconds[i]) * 1e6);
    json.Field("runs", runs[i] * arguments.rounds);
    json.End();
  }
  if (arguments.memory > 0) {
    json.Field("gigabytes_per_s", GigabytesPerSecond(arguments.memory, arguments.rounds));
  }
  return json.Finish();
}

}  // namespace
}  // namespace tfcompress

int main(int argc, char** argv) {
  return tfcompress::RunProgram("tfcompress-models", tfcompress::kUsage, argc, argv,
                                tfcompress::Run);
}
