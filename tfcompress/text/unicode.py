"""Classes of characters and the normalizations that tokenizers of text encoders are defined by."""

import itertools
import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache

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
    text = unicodedata.normalize("NFKC", text).casefold()
    return _IGNORABLE.sub("", unicodedata.normalize("NFKC", text))


def remove_accents(text: str) -> str:
    """Returns a text decomposed (NFD) and without the marks that sit on letters.

    Example:
        >>> remove_accents("Café")
        'Cafe'
    """
    if text.isascii():
        return text
    return _marks().sub("", unicodedata.normalize("NFD", text))


@cache
def character_class(*categories: str) -> str:
    """Returns the characters of general categories, to be put between `[` and `]` in a regex.

    Args:
        *categories: The names of categories, such as "Lu", or their first letters, such as "L".

    Example:
        >>> bool(re.fullmatch(f"[{character_class('L')}]+", "Straße"))
        True
    """
    return _ranges(lambda character: unicodedata.category(character).startswith(categories))


def _ranges(is_member: Callable[[str], bool]) -> str:
    members = [code for code in range(sys.maxunicode + 1) if is_member(chr(code))]
    members.append(-1)
    ranges, first = [], members[0]
    for code, following in itertools.pairwise(members):
        if following != code + 1:
            ranges.append(f"\\U{first:08x}-\\U{code:08x}")
            first = following
    return "".join(ranges)


@cache
def _marks() -> re.Pattern:
    return re.compile(f"[{character_class('Mn')}]+")
