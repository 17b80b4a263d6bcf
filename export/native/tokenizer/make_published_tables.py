"""Writes what published tokenizers need of Unicode, as the package tokenizers sees it, for C++.

That package takes its knowledge of Unicode from several libraries of several versions. So each
character is shown to it, and what it does is written down. Graphemes are those of the package
regex, which tests compare with what tokenizers does. Run it in this folder, with the version of
both packages that is wanted: `python make_published_tables.py published_tables.cc`.
"""

import importlib.metadata
import struct
import sys
import unicodedata
from pathlib import Path

import regex
from make_tables import array, mappings, runs
from tokenizers import Regex, normalizers, pre_tokenizers

# The bits of a character; the names are those of `published_tables.h`.
REMOVED, PUNCTUATION, NONSPACING, MARK, LETTER, NUMBER, WORD, CHINESE = (1 << i for i in range(8))
# The numbers of `GraphemeClass`, in this order, after 0 for all others; and a text that is one
# grapheme, where the package tokenizers knows an earlier Unicode than the package regex.
GRAPHEME_CLASSES = {
    r"\p{GCB=CR}": None,
    r"\p{GCB=LF}": None,
    r"\p{GCB=Control}": None,
    r"\p{GCB=ZWJ}": None,
    r"\p{GCB=Regional_Indicator}": None,
    r"\p{GCB=Prepend}": None,
    r"\p{GCB=SpacingMark}": "a{}",
    r"\p{GCB=L}": None,
    r"\p{GCB=V}": None,
    r"\p{GCB=T}": None,
    r"\p{GCB=LV}": None,
    r"\p{GCB=LVT}": None,
    r"\p{InCB=Linker}": "a{}",
    r"\p{InCB=Consonant}": None,
    r"\p{GCB=Extend}": "a{}",
    r"\p{Extended_Pictographic}": "{}\u200d\u2122\u0301",
}
_HEAD = """// Made by make_published_tables.py of {versions}. Do not edit.
// clang-format off
#include "tokenizer/published_tables.h"

namespace tfcompress {{
"""
_TAIL = """
}  // namespace tfcompress
"""
_PLAIN = {"clean_text": False, "handle_chinese_chars": False, "lowercase": False}
_CLEAN = normalizers.BertNormalizer(**_PLAIN | {"clean_text": True}, strip_accents=False)
_SPACED = normalizers.BertNormalizer(**_PLAIN | {"handle_chinese_chars": True}, strip_accents=False)
_STRIPPED = normalizers.BertNormalizer(**_PLAIN, strip_accents=True)
_WORDS, _MARKS = pre_tokenizers.Whitespace(), pre_tokenizers.BertPreTokenizer()
_LOWERCASE, _STRIP_ACCENTS = normalizers.Lowercase(), normalizers.StripAccents()
_LETTERS, _NUMBERS = (
    pre_tokenizers.Split(Regex(rf"\p{{{name}}}"), "removed") for name in ("L", "N")
)


def bits(character):
    """What a character is to the package tokenizers; a lone surrogate is nothing."""
    if is_surrogate(character):
        return 0
    is_mark = len(_MARKS.pre_tokenize_str(f"a{character}a")) == 3
    is_word = len(_WORDS.pre_tokenize_str(f"a{character}")) == 1
    properties = {
        REMOVED: _CLEAN.normalize_str(character) == "",
        PUNCTUATION: is_mark,
        NONSPACING: _STRIPPED.normalize_str(character) == "",
        MARK: _STRIP_ACCENTS.normalize_str(character) == "",
        LETTER: not _LETTERS.pre_tokenize_str(character),
        NUMBER: not _NUMBERS.pre_tokenize_str(character),
        WORD: is_word and not character.isspace(),
        CHINESE: _SPACED.normalize_str(character) != character,
    }
    return sum(bit for bit, holds in properties.items() if holds)


def unknown_decompositions():
    """The characters that decompose in `unicode_tables.cc`, and not for the package tokenizers."""
    forms = {"NFD": normalizers.NFD(), "NFKD": normalizers.NFKD()}
    return [
        code
        for code in range(sys.maxunicode + 1)
        if any(
            not is_surrogate(chr(code))
            and form.normalize_str(chr(code)) != unicodedata.normalize(name, chr(code))
            for name, form in forms.items()
        )
    ]


def combining_class(character):
    """The combining class, or 0 where the package tokenizers knows none."""
    order = unicodedata.combining(character)
    if not order:
        return 0
    nfd = normalizers.NFD()
    # One of a known mark of another class and this one must move, in one of the two orders.
    other = "\u0301" if order != 230 else "\u0334"
    pairs = (f"a{other}{character}", f"a{character}{other}")
    return order if any(nfd.normalize_str(pair) != pair for pair in pairs) else 0


def lowercases():
    """Lower case: `code point << 8 | size << 2`."""
    codes = [code for code in range(sys.maxunicode + 1) if not is_surrogate(chr(code))]
    lower = {code: _LOWERCASE.normalize_str(chr(code)) for code in codes}
    lower = {code: text for code, text in lower.items() if text != chr(code)}
    return [(code, 0) for code in lower], [*lower.values()]


def grapheme_class(character):
    for number, (pattern, text) in enumerate(_GRAPHEME_PATTERNS, 1):
        if pattern.match(character):
            return number if text is None or is_joined(text.format(character)) else 0
    return 0


def is_joined(text):
    """Whether a text is one grapheme for the package tokenizers.

    It replaces whole graphemes of up to 5 bytes, and in others each character, by the "b" that
    every byte is mapped to.
    """
    small = len(text.encode()) < _LEAST_BYTES
    return len(_JOIN.normalize_str(text)) == (1 if small else len(text))


def all_to_b():
    """A compiled map of a SentencePiece model, a double array, from every byte to "b"."""
    units = [256 << 10, *[0] * 1023]
    for byte in range(1, 256):
        units[256 ^ byte] = (256 ^ byte ^ 512) << 10 | 1 << 8 | byte
    units[512] = 1 << 31
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + b"b\0"


def is_surrogate(character):
    return "\ud800" <= character < "\ue000"


_GRAPHEME_PATTERNS = [(regex.compile(pattern), text) for pattern, text in GRAPHEME_CLASSES.items()]
_JOIN = normalizers.Precompiled(all_to_b())
_LEAST_BYTES = 6


def main(path):
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("tokenizers", "regex")]
    parts = [
        _HEAD.format(versions=" and ".join(versions)),
        array("uint32_t", "kPublishedRuns", runs(bits)),
        array("uint32_t", "kPublishedCombiningRuns", runs(combining_class)),
        array("uint32_t", "kUnknownDecompositions", unknown_decompositions()),
        mappings("kLowercase", *lowercases()),
        array("uint32_t", "kGraphemeRuns", runs(grapheme_class)),
        _TAIL,
    ]
    Path(path).write_text("".join(parts))


if __name__ == "__main__":
    main(*sys.argv[1:])
