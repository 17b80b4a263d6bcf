#include "runtime/translation_chain.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/error.h"
#include "runtime/ids.h"
#include "runtime/markup.h"
#include "runtime/splitting.h"
#include "tokenizer/unicode.h"

namespace tfcompress {
namespace {

using Parts = std::vector<SourcePart>;
// The translations of each part, best first.
using Rows = std::vector<std::vector<TranslatedPart>>;

double Score(double log_probability, size_t num_tokens, const SearchOptions& options) {
  const auto length = static_cast<double>(std::max(num_tokens, size_t{1}));
  return log_probability / std::pow(length, options.length_penalty);
}

// Joins what the parts of a text have at one rank.
Hypothesis JoinHypotheses(const Rows& rows, size_t rank, const SearchOptions& options) {
  if (rows.size() == 1) return rows[0][rank].hypothesis;
  Hypothesis whole = {{}, 0, 0};
  bool is_aligned = true;
  for (const auto& row : rows) {
    const Hypothesis& one = row[rank].hypothesis;
    whole.ids.insert(whole.ids.end(), one.ids.begin(), one.ids.end());
    whole.log_probability += one.log_probability;
    whole.token_ids.insert(whole.token_ids.end(), one.token_ids.begin(), one.token_ids.end());
    whole.token_scores.insert(whole.token_scores.end(), one.token_scores.begin(),
                              one.token_scores.end());
    whole.alignments.insert(whole.alignments.end(), one.alignments.begin(), one.alignments.end());
    is_aligned = is_aligned && !one.alignments.empty();
  }
  if (!is_aligned) whole.alignments.clear();
  whole.score = Score(whole.log_probability, whole.token_ids.size(), options);
  return whole;
}

// A hypothesis of the whole text, and which of each part's translations it joins.
struct Joined {
  Hypothesis hypothesis;
  size_t rank;
};

// As many as the part with the fewest has, best first.
std::vector<Joined> JoinAll(const Rows& rows, const SearchOptions& options) {
  size_t count = rows.empty() ? 0 : SIZE_MAX;
  for (const auto& row : rows) count = std::min(count, row.size());
  std::vector<Joined> joined;
  for (size_t rank = 0; rank < count; ++rank) {
    joined.push_back({JoinHypotheses(rows, rank, options), rank});
  }
  std::stable_sort(joined.begin(), joined.end(), [](const Joined& a, const Joined& b) {
    return a.hypothesis.score > b.hypothesis.score;
  });
  return joined;
}

// Joins the texts of parts, which have these rows. `begins`, unless it is null, becomes where each
// is.
std::string JoinRank(const Parts& parts, Rows::const_iterator row, size_t rank,
                     std::vector<size_t>* begins = nullptr) {
  std::vector<Part> texts;
  for (const SourcePart& part : parts) texts.push_back({part.breaks, (*row++)[rank].text});
  return JoinTexts(texts, begins);
}

// Turns ascending places in bytes into places in characters.
void ToCharacterPlaces(std::string_view text, std::vector<size_t>* places) {
  size_t byte = 0, character = 0;
  for (size_t& place : *places) {
    character += ToCharacters(text.substr(byte, place - byte)).size();
    byte = place;
    place = character;
  }
}

std::vector<TextSpan> Shifted(std::vector<TextSpan> spans, size_t by) {
  for (TextSpan& span : spans) span = {span.begin + by, span.end + by};
  return spans;
}

// [rows, inner] times [inner, columns], row-major.
template <typename Left>
std::vector<double> Product(const std::vector<Left>& left, const std::vector<double>& right,
                            size_t inner) {
  const size_t columns = right.size() / inner;
  std::vector<double> product(left.size() / inner * columns);
  for (size_t i = 0; i < left.size(); ++i) {
    for (size_t j = 0; j < columns; ++j) {
      product[i / inner * columns + j] +=
          static_cast<double>(left[i]) * right[i % inner * columns + j];
    }
  }
  return product;
}

// Joins the texts of a translation's translation, whose hypothesis is joined, and aligns it with
// the text by way of the first.
void JoinAndAlign(const TranslatedPart& first, const Parts& parts, const Rows& rows, size_t rank,
                  TranslatedPart* second) {
  std::vector<size_t> begins;
  second->text = JoinRank(parts, rows.begin(), rank, &begins);
  second->hypothesis.alignments.clear();
  const bool is_aligned = std::all_of(rows.begin(), rows.end(),
                                      [&](const auto& row) { return !row[rank].weights.empty(); });
  if (first.weights.empty() || !is_aligned) return;
  ToCharacterPlaces(second->text, &begins);
  const size_t width = first.source_tokens.size() + 1;
  Alignment alignment = {width, {}};
  // Where nothing is translated on, what ends the text is its end.
  std::vector<double> end_row(first.weights.end() - static_cast<ptrdiff_t>(width),
                              first.weights.end());
  for (size_t i = 0; i < parts.size(); ++i) {
    const TranslatedPart& one = rows[i][rank];
    const std::vector<TextSpan> places = Shifted(one.target_tokens, begins[i]);
    second->target_tokens.insert(second->target_tokens.end(), places.begin(), places.end());
    const size_t inner = one.source_tokens.size() + 1;
    const std::vector<double> through =
        Product(SharedCharacters(Shifted(one.source_tokens, parts[i].begin), first.target_tokens),
                first.weights, first.target_tokens.size() + 1);
    const std::vector<double> all = Product(one.hypothesis.alignments[0].weights, through, inner);
    alignment.weights.insert(alignment.weights.end(), all.begin(), all.end());
    const std::vector<double> known = Product(one.weights, through, inner);
    const auto last = known.end() - static_cast<ptrdiff_t>(width);
    second->weights.insert(second->weights.end(), known.begin(), last);
    end_row.assign(last, known.end());
  }
  second->weights.insert(second->weights.end(), end_row.begin(), end_row.end());
  second->source_tokens = first.source_tokens;
  second->hypothesis.alignments.push_back(std::move(alignment));
}

class Chain {
 public:
  Chain(const std::vector<Translator*>& chain, const SearchOptions& options)
      : chain_(chain), options_(options) {
    chain.back()->CheckOptions(options);
    for (Translator* translator : chain) {
      translator->Begin();
      translator->RequireTokenizer();
      if (options.markup && !translator->bundle().gives_alignments) {
        throw Error(Error::Code::kInvalidArgument, "Markup needs a bundle with alignments",
                    translator->bundle().name + " without", "Export it with `alignments`");
      }
    }
    options_.with_scores = options.with_scores || options.markup;
    heeded_ = chain.back()->HeededOf(options.constraints);
  }

  // Those of a text; `code` is that of the text before and becomes that of the text after.
  Parts PartsOf(std::string_view text, std::string* code) const {
    return chain_[0]->Parts(text, options_, code);
  }

  // The translations of the next part of the text.
  std::vector<TranslatedPart> Translate(const SourcePart& part) {
    std::vector<TranslatedPart> translated = TranslateWith(0, {part})[0];
    for (size_t number = 1; number < chain_.size(); ++number) {
      std::vector<TranslatedPart> all;
      std::map<std::string, size_t> places;
      for (const TranslatedPart& first : translated) {
        for (TranslatedPart& second : TranslateOn(first, number)) {
          const auto [known, is_new] = places.try_emplace(second.text, all.size());
          if (is_new) {
            all.push_back(std::move(second));
          } else if (all[known->second].hypothesis.score < second.hypothesis.score) {
            all[known->second] = std::move(second);
          }
        }
      }
      std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.hypothesis.score > b.hypothesis.score;
      });
      if (all.size() > static_cast<size_t>(options_.n_best)) {
        all.resize(static_cast<size_t>(options_.n_best));
      }
      translated = std::move(all);
    }
    // What a text begins with is in its first part.
    heeded_.prefix.clear();
    return translated;
  }

  const SearchOptions& options() const { return options_; }
  const Heeded& heeded() const { return heeded_; }

 private:
  Rows TranslateWith(size_t number, const Parts& parts) {
    const bool is_last = number + 1 == chain_.size();
    SearchOptions options = options_;
    if (!is_last) options.max_length = 0;
    Heeded heeded = is_last ? heeded_ : Heeded();
    Rows rows;
    for (const SourcePart& part : parts) {
      rows.push_back(chain_[number]->TranslatePart(part, options, heeded));
      heeded.prefix.clear();
    }
    return rows;
  }

  // What a translator makes of a translation, as translations of its source.
  std::vector<TranslatedPart> TranslateOn(const TranslatedPart& first, size_t number) {
    try {
      std::string code;
      const Parts parts = chain_[number]->Parts(first.text, options_, &code);
      const Rows rows = TranslateWith(number, parts);
      std::vector<Joined> joined = JoinAll(rows, options_);
      if (rows.empty()) joined.push_back({{{}, 0, 0}, 0});
      std::vector<TranslatedPart> translated;
      for (Joined& one : joined) {
        TranslatedPart& second = translated.emplace_back();
        second.hypothesis = std::move(one.hypothesis);
        JoinAndAlign(first, parts, rows, one.rank, &second);
        double& total = second.hypothesis.log_probability;
        total += first.hypothesis.log_probability;
        second.hypothesis.score = Score(total, second.hypothesis.token_ids.size(), options_);
      }
      return translated;
    } catch (const Error& error) {
      throw Error(error.code(), chain_[number]->bundle().name + ": " + error.what());
    }
  }

  std::vector<Translator*> chain_;
  SearchOptions options_;
  Heeded heeded_;
};

// The markup of a rank, whose segments have so many parts each.
std::string JoinMarkup(const MarkupDocument& document, const std::vector<Parts>& segments,
                       const Rows& rows, size_t rank) {
  std::vector<TranslatedSegment> translations;
  auto row = rows.begin();
  for (const Parts& parts : segments) {
    std::vector<size_t> begins;
    const std::string text = JoinRank(parts, row, rank, &begins);
    ToCharacterPlaces(text, &begins);
    TranslatedSegment translation = {ToCharacters(text), {}};
    for (size_t i = 0; i < parts.size(); ++i) {
      const TranslatedPart& one = (*row++)[rank];
      const size_t size = ToCharacters(one.text).size();
      AlignedPart part = {{parts[i].begin, parts[i].begin + ToCharacters(parts[i].text).size()},
                          {begins[i], begins[i] + size},
                          Shifted(one.source_tokens, parts[i].begin),
                          Shifted(one.target_tokens, begins[i]),
                          {}};
      const size_t width = one.source_tokens.size() + 1;
      for (size_t at = 0; at + width < one.weights.size(); ++at) {
        if (at % width + 1 < width) part.weights.push_back(one.weights[at]);
      }
      translation.alignment.push_back(std::move(part));
    }
    translations.push_back(std::move(translation));
  }
  return document.Join(translations);
}

// A text in its parts, whose rows of translations are joined.
class Text {
 public:
  Text(const Chain& chain, std::string_view text) {
    CheckUtf8(text);
    // What a text begins with is for all of it.
    std::string code;
    const auto add = [&](std::string_view segment) {
      segments_.push_back(chain.PartsOf(segment, &code));
    };
    if (chain.options().markup) {
      document_ = MarkupDocument::Parse(text);
      for (const MarkupSegment& segment : document_->segments()) add(ToUtf8(segment.text));
    } else {
      add(text);
    }
  }

  std::vector<const SourcePart*> parts() const {
    std::vector<const SourcePart*> parts;
    for (const Parts& segment : segments_) {
      for (const SourcePart& part : segment) parts.push_back(&part);
    }
    return parts;
  }

  Translations Join(const Rows& rows, const SearchOptions& options) const {
    const auto join = [&](size_t rank) {
      return document_ ? JoinMarkup(*document_, segments_, rows, rank)
                       : JoinRank(segments_[0], rows.begin(), rank);
    };
    Translations translations = {{}, std::max(rows.size(), size_t{1})};
    if (rows.empty()) translations.best.push_back({{{}, 0, 0}, join(0)});
    for (Joined& one : JoinAll(rows, options)) {
      translations.best.push_back({std::move(one.hypothesis), join(one.rank)});
    }
    return translations;
  }

 private:
  std::optional<MarkupDocument> document_;
  std::vector<Parts> segments_;
};

}  // namespace

Translations TranslateText(const std::vector<Translator*>& chain, std::string_view text,
                           const SearchOptions& options) {
  Chain translating(chain, options);
  const Text source(translating, text);
  const std::vector<const SourcePart*> parts = source.parts();
  Progress* const progress = chain[0]->progress();
  if (progress != nullptr) progress->Begin(parts.size());
  Rows rows;
  Joiner joiner;
  for (const SourcePart* part : parts) {
    rows.push_back(translating.Translate(*part));
    if (progress == nullptr) continue;
    const std::string& translation = rows.back()[0].text;
    const std::string piece = joiner.Join({part->breaks, translation}) + translation;
    // Tags are placed when all parts are known.
    progress->FinishPart(options.markup ? nullptr : piece.c_str());
  }
  return source.Join(rows, translating.options());
}

std::vector<Translations> TranslateTexts(Translator* translator,
                                         const std::vector<std::string_view>& texts,
                                         const SearchOptions& options, int32_t batch_size) {
  const Chain translating({translator}, options);
  translator->CheckBatchSize(batch_size);
  std::vector<Text> sources;
  for (const std::string_view text : texts) {
    try {
      sources.emplace_back(translating, text);
    } catch (const Error& error) {
      throw Error(error.code(), "text " + std::to_string(sources.size()) + ": " + error.what());
    }
  }
  // What a text begins with is in its first part.
  const Heeded& heeded = translating.heeded();
  const Heeded following = {{}, heeded.bans};
  std::vector<Translator::HeedingPart> parts;
  for (const Text& source : sources) {
    const Heeded* own = &heeded;
    for (const SourcePart* part : source.parts()) {
      parts.push_back({part, own});
      own = &following;
    }
  }
  if (translator->progress() != nullptr) translator->progress()->Begin(parts.size());
  Rows rows = translator->TranslateParts(parts, translating.options(), batch_size);
  std::vector<Translations> all;
  auto next = std::make_move_iterator(rows.begin());
  for (const Text& source : sources) {
    const auto count = static_cast<ptrdiff_t>(source.parts().size());
    all.push_back(source.Join(Rows(next, next + count), translating.options()));
    next += count;
  }
  return all;
}

}  // namespace tfcompress
