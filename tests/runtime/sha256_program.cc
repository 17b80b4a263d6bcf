// Prints the SHA-256 of each beginning of standard input that an argument gives the size of, by
// each implementation.

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>

#include "common/sha256.h"

int main(int count, char** words) {
  const std::string data(std::istreambuf_iterator<char>(std::cin), {});
  for (int i = 1; i < count; ++i) {
    const size_t size = std::strtoul(words[i], nullptr, 10);
    std::cout << tfcompress::Sha256(data.data(), size) << " "
              << tfcompress::PortableSha256(data.data(), size) << "\n";
  }
}
