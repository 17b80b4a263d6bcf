"""Writes what the splitting of text needs of Unicode and of languages, for C++ and for Python.

Run it in this folder: `python make_tables.py`. The package `regex` gives it Unicode's properties.
"""

import sys
import textwrap
from pathlib import Path

import regex

# ruff: noqa: RUF001

_NATIVE = Path("text_tables.cc")
_PYTHON = Path("../../../tfcompress/text/text_tables.py")
_LINE = 100

# What a character is to the end of a sentence. Later lines win.
_CLASSES = {
    7: r"[\p{Lu}\p{Lt}[\p{Lo}&&[\p{Script=Arabic}\p{Script=Hebrew}]]]",  # may be an initial
    6: r"[\p{Lowercase}--[\p{Script=Georgian}]]",  # small; Georgian sentences begin with such
    5: r"\p{Nd}",  # digit
    4: r"[\p{Ps}\p{Pi}\p{Pd}\u00bf\u00a1\u2022*_]",  # opens; may stand before a sentence
    3: "[\\p{Pe}\\p{Pf}\"']",  # closes; may stand after a sentence
    2: r"[\p{Sentence_Terminal}--[\u104A]]",  # ends a sentence; a Myanmar comma does not
    1: "[.!?\u037e\u2024\u2026\u203c\u203d\u2047-\u2049]",  # ends one if a space follows
}
# How a character holds to its neighbours in a grapheme cluster, or more tightly.
_JOINS = {
    1: r"[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=V}\p{GCB=T}]",  # to the one before
    2: r"[\p{GCB=Prepend}\p{GCB=L}]",  # to the one after
    3: r"\p{GCB=ZWJ}",  # to both
    4: r"\p{InCB=Linker}",  # to the one before, and with marks to the consonant after
}
_SPACE = "[\\p{White_Space}\u200b\ufeff]"
_BLANK = r"[\p{White_Space}\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]"
_UNSPACED = (
    r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}"
    r"\p{Script=Nushu}\p{Script=Tangut}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}"
    r"\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Javanese}\p{Script=Balinese}\p{Script=Tai_Le}"
    r"\p{Script=New_Tai_Lue}\p{Script=Tai_Tham}\p{Script=Tai_Viet}"
    r"\u3000-\u30ff\ufe10-\ufe1f\ufe30-\ufe6f\uff00-\uff9f\uffe0-\uffe6]"
)

# What a full stop abbreviates, so that no sentence ends: before a name or a noun ...
_TITLES = """
Adj Adm Asst Brig Capt Cmdr Col Cpl Dr DR Drs Esq Ft Gen Gov Hon Insp Lt Maj Messrs Mr MR Mrs MRS Ms
MS Msgr Mt Prof PROF Pvt Rep Rev Sen Sgt Sr St ST Supt dr mr mrs ms prof st vs Vs cf Cf viz approx
Approx esp
Dipl Fr Frl Hl Hr Hrn Ing Mag Stv Tel abs bzgl Bzgl bzw ca Ca Chr dipl evtl Evtl geb gegr ggf Ggf hl
inkl Inkl insb Insb kath med phil resp sog stv usw vgl Vgl zzgl Zzgl
Mgr Mlle Mlles Mme Mmes Cie
Av Avda Dña Excmo Exmo Ilmo Lic Pág Sra Sras Sres Srta Srtas Ud Uds pág
Arch Avv Dott Geom Sig dott
Dhr Mevr dhr drs mevr mw
Inż inż nar św ul Ul
डॉ
Акад Гос Доц Инж Просп Проф Св См Ул акад гл гос доц им инж напр обл пер просп проф пр рис св см стр
тел тыс ул
"""
# ... and before a number, also with capitals.
_NUMBERED = """
no nos nr nrn num art arts abb abs app bd blz ch chap cap col ed eq eqs ex fig figs hft kap ln lit
p pag pp par para pl pt pts s sec sect st str tab taf teil tl v vol vols ziff zl
jan feb mar märz apr jun jul aug sep sept oct okt nov dec dez janv févr avr juil déc
гл п пп рис ст стр табл т
"""

_ALL = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)


def matching(pattern):
    return {ord(match.group()) for match in regex.finditer(pattern, _ALL, regex.VERSION1)}


def properties():
    """The properties of each character: blank, space, unspaced, joins, class; from high to low."""
    table = [0] * (sys.maxunicode + 1)
    for numbers, shift in ((_CLASSES, 0), (_JOINS, 3)):
        for number, pattern in numbers.items():
            for code in matching(pattern):
                table[code] = table[code] & ~(7 << shift) | number << shift
    for bit, pattern in enumerate((_UNSPACED, _SPACE, _BLANK), start=6):
        for code in matching(pattern):
            table[code] |= 1 << bit
    return table


def runs():
    """The code points where other properties begin, with these: `code point << 9 | properties`."""
    table, last = [], None
    for code, now in enumerate(properties()):
        if now != last:
            table.append(code << 9 | now)
            last = now
    return table


def in_any_case(words):
    return {form for word in words for form in (word, word.capitalize(), word.upper())}


def filled(items, indent, separator):
    return textwrap.fill(
        separator.join(items),
        _LINE,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def native(table, lists):
    parts = [
        "// Made by make_tables.py. Do not edit.\n// clang-format off\n"
        '#include "runtime/text_tables.h"\n\nnamespace tfcompress {\n'
    ]
    body = filled([f"{run:#x}" for run in table], "    ", ", ")
    parts.append(f"\nconst uint32_t kTextRuns[] = {{\n{body}}};\n")
    parts.append(f"const size_t kTextRunsSize = {len(table)};\n")
    for name, entries in lists.items():
        body = filled([f'U"{word}"' for word in entries], "    ", ", ")
        parts.append(f"\nconst std::u32string_view k{name}[] = {{\n{body}}};\n")
        parts.append(f"const size_t k{name}Size = {len(entries)};\n")
    return "".join([*parts, "\n}  // namespace tfcompress\n"])


def python(table, lists):
    parts = [
        '"""What characters and words are to the splitting of text.\n\n'
        'Made by make_tables.py; do not edit."""\n\n# ruff: noqa: RUF001\n',
        f'RUNS = """\n{filled([f"{run:x}" for run in table], "", " ")}\n"""\n',
    ]
    for name, entries in lists.items():
        parts.append(f'{name.upper()} = """\n{filled(entries, "", " ")}\n"""\n')
    return "".join(parts)


def main():
    table = runs()
    lists = {"Titles": {*_TITLES.split()}, "Numbered": in_any_case(_NUMBERED.split())}
    lists = {name: sorted(words) for name, words in lists.items()}
    _NATIVE.write_text(native(table, lists), encoding="utf-8")
    _PYTHON.write_text(python(table, lists), encoding="utf-8")


if __name__ == "__main__":
    main()
