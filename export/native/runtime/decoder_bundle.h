#ifndef TFCOMPRESS_RUNTIME_DECODER_BUNDLE_H_
#define TFCOMPRESS_RUNTIME_DECODER_BUNDLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "runtime/bundle_base.h"
#include "runtime/manifest.h"

namespace tfcompress {

// The ids that are no words.
struct SpecialIds {
  int32_t pad;  // Fills batches; never produced.
  int32_t bos;  // Begins a target; never produced, unless it is `eos`.
  int32_t eos;  // Ends sources and targets.

  // Whether a token is never produced.
  bool IsExcluded(int32_t token) const { return token != eos && (token == pad || token == bos); }
};

// A tensor that a decoder carries from step to step.
struct StateTensor {
  std::string name;
  // Without the batch axis; kPositions, at most once, where it is as long as the source, if it is
  // per sentence, or else as the positions decoded so far.
  std::vector<int32_t> shape;
  // Computed when a sentence is encoded, one for all hypotheses; or a row for each of them.
  bool per_sentence;
  // Of one per hypothesis, before the first step.
  float initial;

  static constexpr int32_t kPositions = -1;

  // Whether a step writes one more position, rather than all.
  bool grows() const;
  // The whole shape.
  std::vector<int32_t> Sizes(int32_t rows, int32_t length) const;
};

// What an opened bundle of a model that decodes step by step has.
struct DecoderBundle : BundleBase {
  SpecialIds ids;
  int32_t max_target_length;  // In tokens, the end mark included.
  int32_t target_vocabulary;
  std::vector<StateTensor> state;
  std::optional<int32_t> block;  // Logits that share a maximum.
  // Whether the rows of a step may be of sentences of different lengths, at different positions.
  bool is_ragged = false;
  bool gives_alignments = false;
  // Of a translation model: the tokens to choose from.
  std::optional<Bytes> shortlist;
  std::string shortlist_name;  // For messages.
  // Of a translation model: ids between `bos` and every target, which leaves them out.
  std::vector<int32_t> target_prefix;
  int32_t source_vocabulary = 0;  // 0 where there is no source.

  // Reads the ids, the state and the blocks; the model and the vocabulary are known. Throws Error
  // (kBadBundle).
  void ReadDecoder(const Manifest& manifest);
};

// The file under some keys of a manifest, or none. Throws Error (kBadBundle).
std::optional<Bytes> OptionalFile(const Manifest& manifest,
                                  const std::map<std::string, Bytes>& opened, Manifest::Keys keys);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_DECODER_BUNDLE_H_
