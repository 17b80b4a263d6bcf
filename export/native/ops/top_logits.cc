#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "ops/all.h"
#include "ops/caches.h"
#include "ops/compute.h"

namespace tfcompress::ops {
namespace {

constexpr int32_t kBlock = 512;
constexpr float kLowest = -std::numeric_limits<float>::infinity();

struct Candidate {
  float value;
  int32_t id;

  // Whether it is better; of equals, the one of the lower id.
  bool operator<(const Candidate& other) const {
    return value != other.value ? value > other.value : id < other.id;
  }
};

// The best few of many that are offered in the order of their ids, as a heap with the worst on top.
class Best {
 public:
  Best(Candidate* memory, int32_t width) : kept_(memory), width_(width) {}

  // What a later one must be above to be kept.
  float threshold() const { return count_ < width_ ? kLowest : kept_->value; }

  void Offer(const Candidate& candidate) {
    if (count_ == width_) std::pop_heap(kept_, kept_ + count_--);
    kept_[count_++] = candidate;
    std::push_heap(kept_, kept_ + count_);
  }

  void Write(float* values, int32_t* ids) {
    std::sort_heap(kept_, kept_ + count_);
    for (int32_t i = 0; i < width_; ++i) {
      values[i] = i < count_ ? kept_[i].value : kLowest;
      ids[i] = i < count_ ? kept_[i].id : -1;
    }
  }

 private:
  Candidate* kept_;
  int32_t width_;
  int32_t count_ = 0;
};

// The logarithm of a sum of exponentials, a block after another.
class LogSumExp {
 public:
  void Add(const kernels::Kernels& kernels, const float* logits, int32_t count,
           float largest_of_them) {
    const float largest = std::max(largest_, largest_of_them);
    if (largest == kLowest) return;
    sum_ = sum_ * std::exp(largest_ - largest) + kernels.sum_exp(logits, count, largest);
    largest_ = largest;
  }

  float value() const { return largest_ + std::log(sum_); }

 private:
  float largest_ = kLowest;
  float sum_ = 0;
};

struct Special {
  int32_t pad;
  int32_t bos;
  int32_t eos;
};

// What is known of one row of x.
struct Row {
  Best best;
  LogSumExp sum;
  float eos;
};

// The ids that logits of some rows are computed for: all, or those of a list.
struct Candidates {
  const int32_t* ids;
  int32_t count;

  int32_t operator[](int32_t i) const { return ids == nullptr ? i : ids[i]; }
  // `count` if it is not among them.
  int32_t Find(int32_t id) const {
    if (ids == nullptr) return id;
    const int32_t* const it = std::lower_bound(ids, ids + count, id);
    return it < ids + count && *it == id ? static_cast<int32_t>(it - ids) : count;
  }
};

Candidates ReadCandidates(const Operands& in, const int32_t* shortlist, int32_t size,
                          int32_t vocabulary) {
  in.Require(size >= 0 && size <= vocabulary, "the shortlist has an impossible size");
  if (size == 0) return {nullptr, vocabulary};
  bool ascending = shortlist[0] >= 0 && shortlist[size - 1] < vocabulary;
  for (int32_t i = 1; i < size; ++i) ascending &= shortlist[i - 1] < shortlist[i];
  in.Require(ascending, "the shortlist must have ascending ids of the vocabulary");
  return {shortlist, size};
}

// Looks at the logits of `count` candidates from the one at `first` on.
void Look(const kernels::Kernels& kernels, const Special& special, const Candidates& candidates,
          int32_t first, int32_t count, const float* logits, Best* best) {
  int32_t i = -1;
  while ((i = kernels.find_above(logits, i + 1, count, best->threshold())) < count) {
    const int32_t id = candidates[first + i];
    if (id != special.pad && id != special.bos) best->Offer({logits[i], id});
  }
}

void Infer(const Shape* inputs, int32_t, Shape* outputs) {
  const int32_t batch = Ranked(inputs[top_logits::kInputX], 2).dims[0];
  const int32_t width = Ranked(inputs[top_logits::kInputWidth], 1).dims[0];
  outputs[top_logits::kOutputTopValues] = outputs[top_logits::kOutputTopIds] = {2, {batch, width}};
  outputs[top_logits::kOutputLogSumExp] = outputs[top_logits::kOutputEosLogits] = {2, {batch, 1}};
}

void Run(const kernels::Kernels& kernels, const Tensors& inputs, const Tensors& outputs) {
  Operands in(kTopLogits.name, "input", inputs);
  Operands out(kTopLogits.name, "output", outputs);
  const int32_t* const config = in.Ints({3});
  Special special = {config[0], config[1], config[2]};
  const int32_t batch = in.Peek(2)[0], width_of_x = in.Peek(2)[1];
  const float* const x = in.Floats({batch, width_of_x});
  const int32_t vocabulary = in.Peek(2)[0];
  const Dense table = in.Layer(vocabulary, width_of_x);
  in.Require(table.weight.type != Type::kInt8Panels && table.weight.type != Type::kInt4Panels,
             "the table must not be in panels");
  const Groups lists = GroupsOf(in, batch, in.Peek(2)[0]);
  const int32_t* const shortlists = in.Ints({lists.count, vocabulary});
  const int32_t* const sizes = in.Ints({lists.count});
  const int32_t width = in.IntVector().size;
  in.Require(width <= vocabulary, "the vocabulary has fewer ids than are wanted");
  // Who wants all wants these too.
  if (width == vocabulary) special.pad = special.bos = -1;
  float* const top_values = out.Floats({batch, width});
  int32_t* const top_ids = out.Ints({batch, width});
  float* const log_sum_exp = out.Floats({batch, 1});
  float* const eos_logits = out.Floats({batch, 1});
  in.Require(special.eos >= 0 && special.eos < vocabulary, "the end mark is not in the vocabulary");

  kernels::Scratch& scratch = FreshScratch();
  Row* const rows = scratch.Take<Row>(static_cast<size_t>(batch));
  for (int32_t r = 0; r < batch; ++r) {
    new (rows + r) Row{Best(scratch.Take<Candidate>(static_cast<size_t>(width)), width), {}, 0};
  }
  auto* const logits = scratch.Take<float>(static_cast<size_t>(lists.rows) * kBlock);
  for (int32_t list = 0; list < lists.count; ++list) {
    const Candidates candidates = ReadCandidates(
        in, shortlists + static_cast<ptrdiff_t>(list) * vocabulary, sizes[list], vocabulary);
    const int32_t eos = candidates.Find(special.eos);
    in.Require(eos < candidates.count, "the shortlist lacks the end mark");
    const kernels::Scratch::Mark mark = scratch.Here();
    Row* const own_rows = rows + static_cast<ptrdiff_t>(list) * lists.rows;
    ActivationValues activations(kernels, &scratch,
                                 x + static_cast<ptrdiff_t>(list) * lists.rows * width_of_x,
                                 lists.rows, width_of_x);
    for (int32_t first = 0; first < candidates.count; first += kBlock) {
      const int32_t count = std::min(kBlock, candidates.count - first);
      activations.Multiply(table.weight, table.bias, {first, count, candidates.ids},
                           {logits, kBlock});
      for (int32_t r = 0; r < lists.rows; ++r) {
        Row& row = own_rows[r];
        const float* const own = logits + static_cast<ptrdiff_t>(r) * kBlock;
        const float largest = kernels.largest(own, count);
        if (largest > row.best.threshold()) {
          Look(kernels, special, candidates, first, count, own, &row.best);
        }
        if (width > 1) row.sum.Add(kernels, own, count, largest);
        if (eos >= first && eos - first < count) row.eos = own[eos - first];
      }
    }
    scratch.Return(mark);
  }
  for (int32_t r = 0; r < batch; ++r) {
    const ptrdiff_t start = static_cast<ptrdiff_t>(r) * width;
    rows[r].best.Write(top_values + start, top_ids + start);
    log_sum_exp[r] = width > 1 ? rows[r].sum.value() : 0;
    eos_logits[r] = rows[r].eos;
  }
}

}  // namespace

const Op kTopLogits = {top_logits::kSchema, Infer, Run};

}  // namespace tfcompress::ops
