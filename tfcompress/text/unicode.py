"""Classes of characters and the normalizations that tokenizers of text encoders are defined by."""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache

from tfcompress.text.unicode_table import RANGES, VERSION

# The characters of Unicode's property White_Space.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# The blocks of Chinese characters that BERT splits into words of their own.
CHINESE = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b73f"
    "\U0002b740-\U0002ceaf\U0002f800-\U0002fa1f"
)

# Unicode's property Default_Ignorable_Code_Point.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def fold_case(text: str) -> str:
    """Returns a text without case and compatibility variants (Unicode's NFKC_Casefold).

    Args:
        text: Any text.

    Returns:
        The folded text; invisible characters are dropped.

    Example:
        >>> fold_case("Straße ﬁne")
        'strasse fine'
    """
    if text.isascii():
        return text.lower()
    return _IGNORABLE.sub("", _where_known(_fold, text))


def remove_accents(text: str) -> str:
    """Returns a text decomposed (NFD) and without the marks that sit on letters.

    Example:
        >>> remove_accents("Café")
        'Cafe'
    """
    if text.isascii():
        return text
    return _of_categories("Mn").sub("", _where_known(_decompose, text))


@cache
def character_class(*categories: str) -> str:
    """Returns the characters of general categories, to be put between `[` and `]` in a regex.

    They are those of the Unicode version of the native tokenizers, whatever Python's is.

    Args:
        *categories: "L", "N", "P", "Mn", "Cc", "Cf" or "Cn".

    Example:
        >>> bool(re.fullmatch(f"[{character_class('L')}]+", "Straße"))
        True
    """
    return "".join(map(_escaped, " ".join(RANGES[name] for name in categories).split()))


def has_category(character: str, *categories: str) -> bool:
    """Returns whether a character is of one of some categories of `character_class`.

    Example:
        >>> has_category("!", "P", "Cc")
        True
    """
    return bool(_of_categories(*categories).match(character))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _decompose(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _escaped(codes: str) -> str:
    return "-".join(f"\\U{int(code, 16):08x}" for code in codes.split("-"))


@cache
def _of_categories(*categories: str) -> re.Pattern:
    return re.compile(f"[{character_class(*categories)}]+")


def _where_known(change: Callable[[str], str], text: str) -> str:
    """Changes the parts of a text between characters that Python knows, but the tables do not."""
    parts = _newer().split(text)
    parts[::2] = map(change, parts[::2])
    return "".join(parts)


@cache
def _newer() -> re.Pattern:
    if unicodedata.unidata_version == VERSION:
        return re.compile("((?!))")
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) == "Cn" or not has_category(chr(code), "Cn"):
            continue
        if ranges and ranges[-1][-1] == code - 1:
            ranges[-1][-1] = code
        else:
            ranges.append([code, code])
    members = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
    return re.compile(f"([{members}]+)")
