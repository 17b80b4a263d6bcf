"""Writes what tokenizers need of Unicode, from Python's `unicodedata`, for C++ and for Python.

Run it in this folder with a Python of the Unicode version wanted:
`python make_tables.py unicode_tables.cc ../../../tfcompress/text/unicode_table.py`.
"""

import sys
import textwrap
import unicodedata
from pathlib import Path

# The numbers of `CharacterClass`.
_CLASSES = {"L": 1, "N": 2, "Mn": 3, "P": 4, "Cc": 5, "Cf": 5}
# The categories that Python needs, "Cn" for characters that have none yet.
_CATEGORIES = ("L", "N", "P", "Mn", "Cc", "Cf", "Cn")
_LINE = 100
_HEAD = """// Made by make_tables.py of Unicode {version}. Do not edit.
// clang-format off
#include "tokenizer/unicode_tables.h"

namespace tfcompress {{
"""
_TAIL = """
}  // namespace tfcompress
"""
_PYTHON = '''"""The characters of general categories. Made by make_tables.py; do not edit."""

VERSION = "{version}"
RANGES = {{
{categories}
}}
'''


def class_of(character):
    category = unicodedata.category(character)
    return _CLASSES.get(category, _CLASSES.get(category[0], 0))


def runs(value):
    """The code points where another value begins, with that value: `code point << 8 | value`."""
    starts, last = [], None
    for code in range(sys.maxunicode + 1):
        now = value(chr(code))
        if now != last:
            starts.append(code << 8 | now)
            last = now
    return starts


def decompositions():
    """One step of decomposition: `code point << 8 | size << 2 | is composed | is canonical`."""
    keys, texts = [], []
    for code in range(sys.maxunicode + 1):
        kind_and_codes = unicodedata.decomposition(chr(code)).split()
        if not kind_and_codes:
            continue
        is_canonical = not kind_and_codes[0].startswith("<")
        text = "".join(chr(int(part, 16)) for part in kind_and_codes[not is_canonical :])
        is_composed = is_canonical and len(text) == 2
        is_composed = is_composed and unicodedata.normalize("NFC", text) == chr(code)
        keys.append((code, is_composed << 1 | is_canonical))
        texts.append(text)
    return keys, texts


def foldings():
    """Case folding: `code point << 8 | size << 2`."""
    codes = [
        code
        for code in range(sys.maxunicode + 1)
        if not 0xD800 <= code < 0xE000 and chr(code).casefold() != chr(code)
    ]
    return [(code, 0) for code in codes], [chr(code).casefold() for code in codes]


def units(text):
    data = text.encode("utf-16-le")
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]


def array(type_, name, values):
    lines, line = [], "   "
    for value in values:
        word = f" {value:#x},"
        if len(line) + len(word) > _LINE:
            lines.append(line)
            line = "   "
        line += word
    lines.append(line)
    body = "\n".join(lines)
    return f"\nconst {type_} {name}[] = {{\n{body}\n}};\nconst size_t {name}Size = {len(values)};\n"


def mappings(name, keys, texts):
    coded = [units(text) for text in texts]
    starts, pool = [], []
    for text in coded:
        starts.append(len(pool))
        pool += text
    packed = [code << 8 | len(text) << 2 | flags for (code, flags), text in zip(keys, coded)]
    return (
        array("uint32_t", f"{name}Keys", packed)
        + array("uint16_t", f"{name}Starts", starts)
        + array("char16_t", f"{name}Text", pool)
    )


def ranges(category):
    """The characters of a category or of a group of them, as `first-last` or one alone."""
    starts = runs(lambda character: unicodedata.category(character).startswith(category))
    ends = [start >> 8 for start in starts[1:]] + [sys.maxunicode + 1]
    parts = []
    for start, end in zip(starts, ends):
        if start & 1:
            first, last = start >> 8, end - 1
            parts.append(f"{first:x}" if first == last else f"{first:x}-{last:x}")
    text = textwrap.fill(" ".join(parts), _LINE, break_on_hyphens=False)
    return f'    "{category}": """\n{text}\n""",'


def main(native_path, python_path):
    version = unicodedata.unidata_version
    parts = [
        _HEAD.format(version=version),
        array("uint32_t", "kClassRuns", runs(class_of)),
        array("uint32_t", "kCombiningRuns", runs(unicodedata.combining)),
        mappings("kDecomposition", *decompositions()),
        mappings("kFolding", *foldings()),
        _TAIL,
    ]
    Path(native_path).write_text("".join(parts))
    categories = "\n".join(map(ranges, _CATEGORIES))
    Path(python_path).write_text(_PYTHON.format(version=version, categories=categories))


if __name__ == "__main__":
    main(*sys.argv[1:])
