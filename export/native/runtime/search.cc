#include "runtime/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/error.h"

namespace tfcompress {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();
constexpr int32_t kAll = std::numeric_limits<int32_t>::max();

// Whether any token may be wanted, however improbable.
bool NeedsAll(const Heeded& heeded) { return !heeded.prefix.empty() || !heeded.bans.empty(); }

// As std::max_element, but by blocks, each of which is compared in lanes.
int32_t ArgMax(const float* values, int32_t count) {
  constexpr int32_t kLanes = 16, kBlock = 64 * kLanes;
  float largest = values[0];
  int32_t place = 0;
  for (int32_t begin = 0; begin < count; begin += kBlock) {
    const int32_t end = std::min(begin + kBlock, count);
    float lanes[kLanes];
    std::fill(lanes, lanes + kLanes, -std::numeric_limits<float>::infinity());
    int32_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (int32_t lane = 0; lane < kLanes; ++lane) {
        lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
      }
    }
    for (; i < end; ++i) lanes[0] = values[i] > lanes[0] ? values[i] : lanes[0];
    const float most = *std::max_element(lanes, lanes + kLanes);
    if (most > largest) {
      largest = most;
      place = begin;
    }
  }
  if (std::isnan(largest)) return 0;
  return static_cast<int32_t>(std::find(values + place, values + count, largest) - values);
}

// A token that may follow a hypothesis.
struct Continuation {
  double total;
  float score;  // Its log-probability.
  int32_t rank;
  int32_t row;
  int32_t token;

  // Whether it is better; of equals, the one of the better hypothesis, then of the lower id.
  bool operator<(const Continuation& other) const {
    if (total != other.total) return total > other.total;
    return rank != other.rank ? rank < other.rank : token < other.token;
  }
};

// Keeps the best few of many.
class Best {
 public:
  explicit Best(size_t count) : count_(count) {}

  double bound() const { return kept_.size() < count_ ? kImpossible : kept_.back().total; }

  void Offer(const Continuation& continuation) {
    const auto place = std::lower_bound(kept_.begin(), kept_.end(), continuation);
    if (kept_.size() == count_) {
      if (place == kept_.end()) return;
      kept_.pop_back();
    }
    kept_.insert(std::lower_bound(kept_.begin(), kept_.end(), continuation), continuation);
  }

  const std::vector<Continuation>& kept() const { return kept_; }

 private:
  size_t count_;
  std::vector<Continuation> kept_;
};

class Greedy final : public Search {
 public:
  Greedy(const SpecialIds& special, int32_t limit, const Heeded& heeded)
      : Search(1, heeded.bans.empty() ? 1 : kAll, special.bos),
        special_(special),
        limit_(static_cast<size_t>(limit)),
        heeded_(heeded) {
    done_ = limit <= 1;
  }

  void Look(const StepOutput& output) override {
    int32_t token = 0;
    if (ids_.size() < heeded_.prefix.size()) {
      token = heeded_.prefix[ids_.size()];
    } else {
      const Bans::After after(heeded_.bans, ids_);
      token = BestToken(output.logits, output, special_, &after);
    }
    tokens_[0] = token;
    if (token != special_.eos) ids_.push_back(token);
    done_ = token == special_.eos || ids_.size() + 1 >= limit_;
  }

  std::vector<Hypothesis> Take() override { return {{std::move(ids_), 0, 0}}; }

 private:
  const SpecialIds special_;
  const size_t limit_;
  const Heeded& heeded_;
  std::vector<int32_t> ids_;
};

class Beam final : public Search {
 public:
  Beam(const SpecialIds& special, int32_t limit, int32_t size, double length_penalty,
       const Heeded& heeded)
      // More continuations of one hypothesis are never among the best.
      : Search(size, NeedsAll(heeded) ? kAll : 2 * size, special.bos),
        special_(special),
        heeded_(heeded),
        size_(size),
        limit_(limit),
        length_penalty_(length_penalty),
        beam_(static_cast<size_t>(size)) {
    for (int32_t row = 0; row < size; ++row) At(row).rank = row;
    At(0).total = 0;
  }

  void Look(const StepOutput& output) override {
    ++length_;
    parents_.clear();
    Read(output);
    const auto place = static_cast<size_t>(length_) - 1;
    if (place < heeded_.prefix.size()) {
      Force(heeded_.prefix[place]);
      std::fill(tokens_.begin(), tokens_.end(), heeded_.prefix[place]);
      return;
    }
    if (length_ == limit_) {
      FinishAll();
      done_ = true;
      return;
    }
    const std::vector<Continuation> alive = FinishEnded(BestContinuations());
    KeepBestFinished();
    done_ = alive.empty() || (finished_.size() == beam_.size() &&
                              Score(alive[0].total, length_) <= finished_.back().score);
    if (!done_) Continue(alive);
  }

  std::vector<Hypothesis> Take() override {
    if (finished_.empty()) {
      throw Error(Error::Code::kRuntime, "The model must give finite logits", "none that is finite",
                  "Export an earlier checkpoint");
    }
    KeepBestFinished();
    return std::move(finished_);
  }

 private:
  // A hypothesis stays in its row while its rank changes, so that few caches are ever copied. A
  // total of -infinity is none.
  struct Row {
    double total = kImpossible;
    int32_t rank = 0;
    std::vector<int32_t> prefix;
    std::vector<double> scores;
    std::vector<float> alignment;
  };

  Row& At(int32_t row) { return beam_[static_cast<size_t>(row)]; }

  void Read(const StepOutput& output) {
    output_ = output;
    log_sum_exp_.resize(beam_.size());
    for (int32_t row = 0; row < size_; ++row) {
      log_sum_exp_[static_cast<size_t>(row)] = output.log_sum_exp != nullptr
                                                   ? output.log_sum_exp[row]
                                                   : LogSumExp(Logits(row), output.vocabulary);
    }
  }

  const float* Logits(int32_t row) const {
    return output_.logits + static_cast<ptrdiff_t>(row) * output_.vocabulary;
  }

  // The hypothesis of a row with one more token.
  Row Grown(int32_t row, int32_t token, float score) {
    Row grown = At(row);
    grown.prefix.push_back(token);
    grown.scores.push_back(score);
    if (output_.alignment != nullptr) {
      const float* const own =
          output_.alignment + static_cast<ptrdiff_t>(row) * output_.source_length;
      grown.alignment.insert(grown.alignment.end(), own, own + output_.source_length);
    }
    return grown;
  }

  // Takes the token of all hypotheses to begin with.
  void Force(int32_t token) {
    const float score = Logit(0, token) - log_sum_exp_[0];
    const double total = At(0).total + score;
    At(0) = Grown(0, token, score);
    At(0).total = total;
  }

  float Logit(int32_t row, int32_t token) const {
    if (output_.logits != nullptr) return Logits(row)[token];
    if (token == special_.eos) return output_.eos_logits[row];
    const int32_t* const ids = output_.top_ids + static_cast<ptrdiff_t>(row) * output_.top;
    const auto place = std::find(ids, ids + output_.top, token) - ids;
    return place < output_.top ? (output_.top_values + (ids - output_.top_ids))[place]
                               : static_cast<float>(kImpossible);
  }

  double Score(double total, int32_t length) const {
    return total / std::pow(static_cast<double>(length), length_penalty_);
  }

  // Puts the finished hypotheses in order, and keeps as many as the beam has.
  void KeepBestFinished() {
    std::stable_sort(finished_.begin(), finished_.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    if (finished_.size() > beam_.size()) finished_.resize(beam_.size());
  }

  void Finish(int32_t row, double total, float score) {
    Row ended = Grown(row, special_.eos, score);
    finished_.push_back({At(row).prefix, total, Score(total, length_), std::move(ended.prefix),
                         std::move(ended.scores)});
    if (output_.alignment == nullptr) return;
    finished_.back().alignments.push_back(
        {static_cast<size_t>(output_.source_length), std::move(ended.alignment)});
  }

  void FinishAll() {
    std::vector<int32_t> order(beam_.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [this](int32_t a, int32_t b) { return At(a).rank < At(b).rank; });
    for (int32_t row : order) {
      const float score = Logit(row, special_.eos) - log_sum_exp_[static_cast<size_t>(row)];
      const double total = At(row).total + score;
      if (total > kImpossible) Finish(row, total, score);
    }
  }

  std::vector<Continuation> BestContinuations() {
    Best best(2 * beam_.size());
    const int32_t blocks = std::max(output_.blocks, 1);
    const int32_t width = output_.vocabulary / blocks;
    for (int32_t row = 0; row < size_; ++row) {
      const double before = At(row).total;
      if (!(before > kImpossible)) continue;
      const float shift = log_sum_exp_[static_cast<size_t>(row)];
      const Bans::After after(heeded_.bans, At(row).prefix);
      const auto offer = [&](int32_t token, float logit) {
        const float score = logit - shift;
        const double total = score + before;
        if (!(total >= best.bound()) || !(total > kImpossible)) return;
        if (special_.IsExcluded(token) || after.Forbids(token)) return;
        best.Offer({total, score, At(row).rank, row, token});
      };
      const ptrdiff_t first = static_cast<ptrdiff_t>(row) * output_.top;
      for (int32_t i = 0; i < output_.top && output_.top_ids[first + i] >= 0; ++i) {
        offer(output_.top_ids[first + i], output_.top_values[first + i]);
      }
      if (output_.logits == nullptr) continue;
      for (int32_t block = 0; block < blocks; ++block) {
        if (output_.block_max != nullptr) {
          const float largest = output_.block_max[static_cast<ptrdiff_t>(row) * blocks + block];
          if (!((largest - shift) + before >= best.bound())) continue;
        }
        for (int32_t token = block * width; token < (block + 1) * width; ++token) {
          offer(token, Logits(row)[token]);
        }
      }
    }
    return best.kept();
  }

  // Finishes those that end among the best, and returns the best of the others.
  std::vector<Continuation> FinishEnded(const std::vector<Continuation>& continuations) {
    std::vector<Continuation> alive;
    for (size_t place = 0; place < continuations.size(); ++place) {
      const Continuation& one = continuations[place];
      if (one.token != special_.eos) {
        if (alive.size() < beam_.size()) alive.push_back(one);
      } else if (place < beam_.size()) {
        Finish(one.row, one.total, one.score);
      }
    }
    return alive;
  }

  void Continue(const std::vector<Continuation>& alive) {
    const std::vector<int32_t> places = AssignRows(alive);
    std::vector<Row> grown(beam_.size());
    for (size_t row = 0; row < beam_.size(); ++row) grown[row].rank = beam_[row].rank;
    for (size_t rank = 0; rank < alive.size(); ++rank) {
      const auto place = static_cast<size_t>(places[rank]);
      grown[place] = Grown(alive[rank].row, alive[rank].token, alive[rank].score);
      grown[place].total = alive[rank].total;
      grown[place].rank = static_cast<int32_t>(rank);
      tokens_[place] = alive[rank].token;
    }
    beam_ = std::move(grown);
  }

  // Gives every hypothesis a row: its parent's if it is the first of its children.
  std::vector<int32_t> AssignRows(const std::vector<Continuation>& alive) {
    std::vector<bool> inherited(beam_.size(), false);
    for (const Continuation& one : alive) inherited[static_cast<size_t>(one.row)] = true;
    std::vector<int32_t> free, places, origin(beam_.size());
    std::iota(origin.begin(), origin.end(), 0);
    for (int32_t row = 0; row < size_; ++row) {
      if (!inherited[static_cast<size_t>(row)]) free.push_back(row);
    }
    bool moved = false;
    for (const Continuation& one : alive) {
      if (inherited[static_cast<size_t>(one.row)]) {
        inherited[static_cast<size_t>(one.row)] = false;
        places.push_back(one.row);
        continue;
      }
      places.push_back(free.back());
      origin[static_cast<size_t>(free.back())] = one.row;
      free.pop_back();
      moved = true;
    }
    if (moved) parents_ = std::move(origin);
    return places;
  }

  const SpecialIds special_;
  const Heeded& heeded_;
  const int32_t size_;
  const int32_t limit_;
  const double length_penalty_;
  int32_t length_ = 0;
  std::vector<Row> beam_;
  std::vector<float> log_sum_exp_;
  StepOutput output_ = {};
  std::vector<Hypothesis> finished_;
};

}  // namespace

int32_t BestToken(const float* logits, const StepOutput& output, const SpecialIds& special,
                  const Bans::After* after) {
  const auto is_possible = [&](int32_t token) {
    return !special.IsExcluded(token) && (after == nullptr || !after->Forbids(token));
  };
  if (output.top_ids != nullptr) {
    for (int32_t i = 0; i < output.top && output.top_ids[i] >= 0; ++i) {
      if (is_possible(output.top_ids[i])) return output.top_ids[i];
    }
    return special.eos;
  }
  int32_t first = 0, width = output.vocabulary;
  if (output.block_max != nullptr) {
    width = output.vocabulary / output.blocks;
    first = ArgMax(output.block_max, output.blocks) * width;
  }
  const int32_t token = first + ArgMax(logits + first, width);
  if (is_possible(token)) return token;
  int32_t best = special.eos;
  for (int32_t other = 0; other < output.vocabulary; ++other) {
    const bool better =
        logits[other] > logits[best] || (logits[other] == logits[best] && other < best);
    if (better && is_possible(other)) best = other;
  }
  return best;
}

float LogSumExp(const float* logits, int32_t count) {
  const float largest = *std::max_element(logits, logits + count);
  float sum = 0;
  for (int32_t i = 0; i < count; ++i) sum += std::exp(logits[i] - largest);
  return largest + std::log(sum);
}

std::unique_ptr<Search> NewGreedySearch(const SpecialIds& special, int32_t limit,
                                        const Heeded& heeded) {
  return std::make_unique<Greedy>(special, limit, heeded);
}

std::unique_ptr<Search> NewBeamSearch(const SpecialIds& special, int32_t limit, int32_t beam_size,
                                      double length_penalty, const Heeded& heeded) {
  return std::make_unique<Beam>(special, limit, beam_size, length_penalty, heeded);
}

std::vector<Hypothesis> Run(Search* search, Stepper* stepper) {
  stepper->Start(search->rows(), search->top());
  while (!search->done()) {
    if (!search->parents().empty()) stepper->Reorder(search->parents());
    search->Look(stepper->Step(search->tokens()));
  }
  return search->Take();
}

}  // namespace tfcompress
