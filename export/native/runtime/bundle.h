#ifndef TFCOMPRESS_RUNTIME_BUNDLE_H_
#define TFCOMPRESS_RUNTIME_BUNDLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace tfcompress {

// The ids that are no words.
struct SpecialIds {
  int32_t pad;  // Fills batches; never produced.
  int32_t bos;  // Begins a target; never produced.
  int32_t eos;  // Ends sources and targets.
};

// A tensor for every row of a batch: `[heads, length, width]`, where the length varies.
struct HeadShape {
  int32_t heads;
  int32_t width;
};

// Where the files of a bundle are.
class Files {
 public:
  virtual ~Files() = default;
  // The file of a name. Throws Error (kNotFound) if there is none.
  virtual Bytes Open(const std::string& name) const = 0;
  // What messages call a file.
  virtual std::string Name(const std::string& name) const = 0;
};

class FolderFiles final : public Files {
 public:
  explicit FolderFiles(std::string folder) : folder_(std::move(folder)) {}
  Bytes Open(const std::string& name) const override;
  std::string Name(const std::string& name) const override { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

class MemoryFiles final : public Files {
 public:
  void Add(std::string name, Bytes bytes) { files_.insert_or_assign(std::move(name), bytes); }
  Bytes Open(const std::string& name) const override;
  std::string Name(const std::string& name) const override { return name; }

 private:
  std::map<std::string, Bytes> files_;
};

// An opened bundle: what the runtime needs of its manifest, and its files.
struct Bundle {
  std::string name;  // The model's, for messages.
  SpecialIds ids;
  int32_t max_source_length;  // In tokens, the end mark included.
  int32_t max_target_length;
  int32_t source_vocabulary;
  int32_t target_vocabulary;
  std::vector<HeadShape> caches;     // Of the decoder's self-attention.
  std::vector<HeadShape> histories;  // Of its convolutions.
  std::vector<HeadShape> memories;   // Of what it reads of the encoder.
  std::optional<int32_t> block;      // Logits that share a maximum.
  std::vector<std::string> custom_ops;
  Bytes model;
  std::optional<Bytes> source_tokenizer;
  std::optional<Bytes> target_tokenizer;
  std::optional<Bytes> shortlist;
  std::string shortlist_name;  // For messages.
  uint64_t size;               // Bytes of all files together.
};

// Opens a bundle and checks that it is whole: with `verify`, the size and SHA-256 of every file.
// Throws Error (kNotFound, kBadBundle, kUnsupported).
Bundle OpenBundle(const Files& files, bool verify);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_BUNDLE_H_
