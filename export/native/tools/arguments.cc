#include "tools/arguments.h"

#include <cstdlib>

#include "tools/measuring.h"

namespace tfcompress {
namespace {

int32_t Number(const std::string& option, const std::string& text, int32_t least,
               int32_t most = 1000000) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < least || value > most) {
    Fail(option + " must be a whole number from " + std::to_string(least) + " to " +
             std::to_string(most),
         "'" + text + "'", "Give one");
  }
  return static_cast<int32_t>(value);
}

}  // namespace

Arguments ParseArguments(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.compare(0, 2, "--") != 0) {
      if (!arguments.bundle.empty()) {
        Fail("There must be one bundle only", "'" + word + "' too", "Leave it out");
      }
      arguments.bundle = word;
      continue;
    }
    if (word == "--profile") {
      arguments.profile = true;
      continue;
    }
    if (i + 1 == words.size()) Fail("An option needs a value", word + " without", "See --help");
    const std::string& value = words[++i];
    if (word == "--input") {
      arguments.input = value;
    } else if (word == "--output") {
      arguments.output = value;
    } else if (word == "--translations") {
      arguments.translations = value;
    } else if (word == "--results") {
      arguments.results = value;
    } else if (word == "--library") {
      arguments.library = value;
    } else if (word == "--threads") {
      arguments.threads = Number(word, value, 1, 1024);
    } else if (word == "--beam") {
      arguments.beam = Number(word, value, 1, 1000);
    } else if (word == "--warmup") {
      arguments.warmup = Number(word, value, 0);
    } else if (word == "--runs") {
      arguments.runs = Number(word, value, 1);
    } else {
      Fail("The option is unknown", "'" + word + "'", "See --help");
    }
  }
  if (arguments.bundle.empty()) Fail("There must be a bundle", "none", "See --help");
  return arguments;
}

}  // namespace tfcompress
