#ifndef TFCOMPRESS_RUNTIME_TRANSLATION_CHAIN_H_
#define TFCOMPRESS_RUNTIME_TRANSLATION_CHAIN_H_

#include <string_view>
#include <vector>

#include "runtime/translator.h"

namespace tfcompress {

// Translates a text with one translator, or with several, each of which translates what the one
// before gave; at least one. Gives what `Translator` and `PivotTranslator` give in Python. Throws
// Error as Translator::Translate does; what concerns a later translation names its bundle.
Translations TranslateText(const std::vector<Translator*>& chain, std::string_view text,
                           const SearchOptions& options);

// Translates texts with one translator, at most `batch_size` of their parts side by side. Gives
// what each text has alone. Throws Error as TranslateText does.
std::vector<Translations> TranslateTexts(Translator* translator,
                                         const std::vector<std::string_view>& texts,
                                         const SearchOptions& options, int32_t batch_size);

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TRANSLATION_CHAIN_H_
