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

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_TRANSLATION_CHAIN_H_
