#include "runtime/batch.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace tfcompress {
namespace {

using Sentences = std::vector<BatchSentence*>;

// What a step gave for the rows from one on.
StepOutput From(StepOutput output, ptrdiff_t row) {
  const auto move = [row](auto** values, int32_t width) {
    if (*values != nullptr) *values += row * width;
  };
  move(&output.logits, output.vocabulary);
  move(&output.block_max, output.blocks);
  move(&output.log_sum_exp, 1);
  move(&output.top_values, output.top);
  move(&output.top_ids, output.top);
  move(&output.eos_logits, 1);
  move(&output.alignment, output.source_length);
  return output;
}

// Sentences that are decoded in one batch, the longest first.
class Batch {
 public:
  Batch(Session* session, const std::vector<int32_t>& prompt, Sentences::const_iterator begin,
        Sentences::const_iterator end, size_t size, const std::function<void()>& finished)
      : session_(*session),
        finished_(finished),
        prompt_(prompt),
        next_(begin),
        end_(end),
        places_(std::min(size, static_cast<size_t>(end - begin))),
        rows_((*begin)->search->rows()) {
    session_.StartBatch(static_cast<int32_t>(places_.size()), rows_, (*begin)->search->top(),
                        static_cast<int32_t>((*begin)->ids.size()));
    for (size_t place = 0; place < places_.size(); ++place) Fill(place);
  }

  void Run() {
    while (!places_.empty()) {
      Step();
      Shrink();
    }
  }

 private:
  struct Place {
    BatchSentence* sentence = nullptr;  // Null where none is decoded any more.
    size_t step = 0;
  };

  void Fill(size_t place) {
    places_[place] = {*next_++, 0};
    const BatchSentence& sentence = *places_[place].sentence;
    session_.Place(static_cast<int32_t>(place), sentence.ids, sentence.wanted);
  }

  void Step() {
    std::vector<int32_t> tokens, parents;
    bool moved = false;
    for (const Place& place : places_) {
      const auto first = static_cast<int32_t>(tokens.size());
      const auto rows = static_cast<size_t>(rows_);
      if (place.sentence == nullptr || place.step < prompt_.size()) {
        const size_t step = place.sentence == nullptr ? 0 : place.step;
        tokens.insert(tokens.end(), rows, prompt_[step]);
      } else {
        const std::vector<int32_t>& own = place.sentence->search->tokens();
        tokens.insert(tokens.end(), own.begin(), own.end());
      }
      parents.resize(tokens.size());
      std::iota(parents.begin() + first, parents.end(), first);
      if (place.sentence == nullptr) continue;
      const std::vector<int32_t>& own = place.sentence->search->parents();
      for (size_t row = 0; row < own.size(); ++row) {
        parents[static_cast<size_t>(first) + row] = first + own[row];
        moved = true;
      }
    }
    if (moved) session_.Reorder(parents);
    const StepOutput output = session_.Step(tokens);
    for (size_t i = 0; i < places_.size(); ++i) {
      Place& place = places_[i];
      if (place.sentence == nullptr || ++place.step < prompt_.size()) continue;
      Search& search = *place.sentence->search;
      search.Look(From(output, static_cast<ptrdiff_t>(i) * rows_));
      if (!search.done()) continue;
      place.sentence = nullptr;
      session_.Retire(static_cast<int32_t>(i));
      finished_();
    }
    for (size_t i = 0; session_.is_ragged() && i < places_.size() && next_ != end_; ++i) {
      if (places_[i].sentence == nullptr) Fill(i);
    }
  }

  // Gives up places that stay empty, but not one by one, as that takes as long as some steps.
  void Shrink() {
    std::vector<int32_t> kept;
    std::vector<Place> places;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].sentence == nullptr) continue;
      kept.push_back(static_cast<int32_t>(i));
      places.push_back(places_[i]);
    }
    if (2 * places.size() > places_.size()) return;
    if (!places.empty()) session_.Keep(kept);
    places_ = std::move(places);
  }

  Session& session_;
  const std::function<void()>& finished_;
  const std::vector<int32_t>& prompt_;
  Sentences::const_iterator next_;
  Sentences::const_iterator end_;
  std::vector<Place> places_;
  int32_t rows_;
};

}  // namespace

void RunBatch(Session* session, const std::vector<int32_t>& prompt, int32_t batch_size,
              const std::vector<BatchSentence*>& sentences, const std::function<void()>& finished) {
  Sentences sorted;
  std::copy_if(sentences.begin(), sentences.end(), std::back_inserter(sorted),
               [](const BatchSentence* one) { return !one->search->done(); });
  // Whose searches want as many tokens together, as all of a batch get as many.
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->search->top() != b->search->top()) return a->search->top() < b->search->top();
    return a->ids.size() > b->ids.size();
  });
  const auto size = static_cast<size_t>(batch_size);
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const bool is_ragged = session->is_ragged();
    const auto end = std::find_if(begin, sorted.end(), [&](const BatchSentence* one) {
      return one->search->top() != (*begin)->search->top() ||
             (!is_ragged && one->ids.size() != (*begin)->ids.size());
    });
    const bool is_cut = !is_ragged && static_cast<size_t>(end - begin) > size;
    const auto last = is_cut ? begin + batch_size : end;
    Batch(session, prompt, begin, last, size, finished).Run();
    begin = last;
  }
}

}  // namespace tfcompress
