"""Writes the names of elements and characters that markup has, for C++, from those of Python.

Run it in this folder: `python make_markup_tables.py`.
"""

import textwrap
from pathlib import Path

from tfcompress.runtime import markup_scanner

_NATIVE = Path("markup_tables.cc")
_LISTS = {
    "Blocks": markup_scanner.BLOCKS,
    "Voids": markup_scanner.VOIDS,
    "Raw": markup_scanner.RAW,
    "RawText": markup_scanner.RAW_TEXT,
    "Opaque": markup_scanner.OPAQUE,
    "Formatting": markup_scanner.FORMATTING,
    "Unique": markup_scanner.UNIQUE,
    "Scopes": markup_scanner.SCOPES,
    "Cells": markup_scanner.CELLS,
    "CellEnds": markup_scanner.CELL_ENDS,
    "Preformatted": markup_scanner.PREFORMATTED,
}


def filled(items):
    return textwrap.fill(
        ", ".join(items),
        100,
        initial_indent="    ",
        subsequent_indent="    ",
        break_on_hyphens=False,
    )


def native():
    """Returns the content of the file."""
    parts = [
        "// Made by make_markup_tables.py. Do not edit.\n// clang-format off\n"
        '#include "runtime/markup_tables.h"\n\nnamespace tfcompress {\n'
    ]
    for name, words in _LISTS.items():
        body = filled(f'U"{word}"' for word in sorted(words))
        parts.append(f"\nconst std::u32string_view k{name}[] = {{\n{body}}};\n")
        parts.append(f"const size_t k{name}Size = {len(words)};\n")
    endings = [(tag, name) for tag, names in markup_scanner.ENDED_BY.items() for name in names]
    body = filled(f'{{U"{tag}", U"{name}"}}' for tag, name in endings)
    parts.append(f"\nconst Ending kEndings[] = {{\n{body}}};\n")
    parts.append(f"const size_t kEndingsSize = {len(endings)};\n")
    names = sorted(markup_scanner.CHARACTER_NAMES.items())
    body = filled(f'{{U"{name}", {code:#x}}}' for name, code in names)
    parts.append(f"\nconst NamedCharacter kCharacterNames[] = {{\n{body}}};\n")
    parts.append(f"const size_t kCharacterNamesSize = {len(names)};\n")
    return "".join([*parts, "\n}  // namespace tfcompress\n"])


if __name__ == "__main__":
    _NATIVE.write_text(native(), encoding="utf-8")
