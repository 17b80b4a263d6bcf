#include "runtime/translation_chain.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
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
  return log_probability / std::pow(static_cast<double>(num_tokens), options.length_penalty);
}

size_t NumRanks(const Rows& rows) {
  size_t count = rows.empty() ? 0 : SIZE_MAX;
  for (const auto& row : rows) count = std::min(count, row.size());
  return count;
}

// Joins what the parts of a text have at one rank.
Hypothesis JoinHypotheses(const Rows& rows, size_t rank, const SearchOptions& options) {
  if (rows.size() == 1) return rows[0][rank].hypothesis;
  Hypothesis whole = {{}, 0, 0};
  for (const auto& row : rows) whole.source_length += row[rank].hypothesis.source_length;
  size_t column = 0;
  for (const auto& row : rows) {
    const Hypothesis& one = row[rank].hypothesis;
    whole.ids.insert(whole.ids.end(), one.ids.begin(), one.ids.end());
    whole.log_probability += one.log_probability;
    whole.token_ids.insert(whole.token_ids.end(), one.token_ids.begin(), one.token_ids.end());
    whole.token_scores.insert(whole.token_scores.end(), one.token_scores.begin(),
                              one.token_scores.end());
    // Each part with its own source.
    for (size_t first = 0; first < one.alignment.size(); first += one.source_length) {
      const auto begin = one.alignment.begin() + static_cast<ptrdiff_t>(first);
      std::vector<float> wide(whole.source_length);
      std::copy_n(begin, one.source_length, wide.begin() + static_cast<ptrdiff_t>(column));
      whole.alignment.insert(whole.alignment.end(), wide.begin(), wide.end());
    }
    column += one.source_length;
  }
  whole.score = Score(whole.log_probability, whole.ids.size() + rows.size(), options);
  return whole;
}

std::string JoinRank(const Parts& parts, const Rows& rows, size_t rank,
                     std::vector<size_t>* begins = nullptr) {
  std::vector<Part> texts;
  for (size_t i = 0; i < parts.size(); ++i) {
    texts.push_back({parts[i].breaks, rows[i][rank].text});
  }
  return JoinTexts(texts, begins);
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

// Aligns a translation's translation with the text by way of the first. The second is the joined
// one of some parts.
void Align(const TranslatedPart& first, const Parts& parts, const Rows& rows, size_t rank,
           TranslatedPart* second) {
  Hypothesis& hypothesis = second->hypothesis;
  hypothesis.alignment.clear();
  hypothesis.source_length = 0;
  const bool is_aligned = std::all_of(rows.begin(), rows.end(),
                                      [&](const auto& row) { return !row[rank].weights.empty(); });
  if (first.weights.empty() || parts.empty() || !is_aligned) return;
  const std::u32string text = ToCharacters(second->text);
  const size_t width = first.source_tokens.size() + 1;
  size_t at = 0;
  std::vector<double> end_row;
  for (size_t i = 0; i < parts.size(); ++i) {
    const TranslatedPart& one = rows[i][rank];
    const std::u32string own = ToCharacters(one.text);
    at = text.find(own, at);
    const std::vector<TextSpan> places = Shifted(one.target_tokens, at);
    second->target_tokens.insert(second->target_tokens.end(), places.begin(), places.end());
    at += own.size();
    const size_t inner = one.source_tokens.size() + 1;
    const std::vector<double> through =
        Product(SharedCharacters(Shifted(one.source_tokens, parts[i].begin), first.target_tokens),
                first.weights, first.target_tokens.size() + 1);
    const std::vector<double> all = Product(one.hypothesis.alignment, through, inner);
    hypothesis.alignment.insert(hypothesis.alignment.end(), all.begin(), all.end());
    const std::vector<double> known = Product(one.weights, through, inner);
    const auto last = known.end() - static_cast<ptrdiff_t>(width);
    second->weights.insert(second->weights.end(), known.begin(), last);
    end_row.assign(last, known.end());
  }
  second->weights.insert(second->weights.end(), end_row.begin(), end_row.end());
  second->source_tokens = first.source_tokens;
  hypothesis.source_length = width;
}

// Makes sure that no sentence lacks the code of its target language, which one has.
void CheckTargetCode(const Parts& parts, size_t num_parts) {
  if (parts.empty() || num_parts < 2) return;
  const std::string& text = parts[0].text;
  const std::string first = text.substr(0, text.find_first_of(" \t\n\r\f\v"));
  const size_t end = first.rfind("<<");
  if (first.compare(0, 2, ">>") != 0 || end == std::string::npos || end < 3) return;
  throw Error(Error::Code::kInvalidArgument, "Each sentence needs its target code",
              first.substr(0, end + 2) + " before " + std::to_string(num_parts) + " of them",
              "Translate them one by one, each with its code");
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

  Parts PartsOf(std::string_view text) const { return chain_[0]->Parts(text, options_); }

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
      const Parts parts = chain_[number]->Parts(first.text, options_);
      const Rows rows = TranslateWith(number, parts);
      std::vector<TranslatedPart> translated(std::max(NumRanks(rows), size_t{parts.empty()}));
      for (size_t rank = 0; rank < translated.size(); ++rank) {
        TranslatedPart& second = translated[rank];
        second.hypothesis = JoinHypotheses(rows, rank, options_);
        second.text = JoinRank(parts, rows, rank);
        Align(first, parts, rows, rank, &second);
        const size_t num_parts = std::max(parts.size(), size_t{1});
        double& total = second.hypothesis.log_probability;
        total += first.hypothesis.log_probability;
        second.hypothesis.score = Score(total, second.hypothesis.ids.size() + num_parts, options_);
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
    const Rows own(row, row + static_cast<ptrdiff_t>(parts.size()));
    row += static_cast<ptrdiff_t>(parts.size());
    std::vector<size_t> begins;
    const std::string text = JoinRank(parts, own, rank, &begins);
    TranslatedSegment translation = {ToCharacters(text), {}};
    for (size_t i = 0; i < parts.size(); ++i) {
      const TranslatedPart& one = own[i][rank];
      const size_t begin = ToCharacters(std::string_view(text).substr(0, begins[i])).size();
      const size_t size = ToCharacters(one.text).size();
      AlignedPart part = {{parts[i].begin, parts[i].begin + ToCharacters(parts[i].text).size()},
                          {begin, begin + size},
                          Shifted(one.source_tokens, parts[i].begin),
                          Shifted(one.target_tokens, begin),
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

}  // namespace

Translations TranslateText(const std::vector<Translator*>& chain, std::string_view text,
                           const SearchOptions& options) {
  Chain translating(chain, options);
  CheckUtf8(text);
  std::optional<MarkupDocument> document;
  std::vector<Parts> segments;
  if (options.markup) {
    document = MarkupDocument::Parse(text);
    for (const MarkupSegment& segment : document->segments()) {
      segments.push_back(translating.PartsOf(ToUtf8(segment.text)));
    }
  } else {
    segments.push_back(translating.PartsOf(text));
  }
  size_t num_parts = 0;
  for (const Parts& parts : segments) num_parts += parts.size();
  if (options.markup || options.split_sentences) {
    const auto first = std::find_if_not(segments.begin(), segments.end(),
                                        [](const Parts& parts) { return parts.empty(); });
    if (first != segments.end()) CheckTargetCode(*first, num_parts);
  }
  Rows rows;
  for (const Parts& parts : segments) {
    for (const SourcePart& part : parts) rows.push_back(translating.Translate(part));
  }
  const auto join = [&](size_t rank) {
    return document ? JoinMarkup(*document, segments, rows, rank)
                    : JoinRank(segments[0], rows, rank);
  };
  Translations translations = {{}, std::max(rows.size(), size_t{1})};
  if (rows.empty()) translations.best.push_back({{{}, 0, 0}, join(0)});
  for (size_t rank = 0; rank < NumRanks(rows); ++rank) {
    translations.best.push_back({JoinHypotheses(rows, rank, translating.options()), join(rank)});
  }
  return translations;
}

}  // namespace tfcompress
