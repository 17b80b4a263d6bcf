"""What characters are to reading and splitting text; the native runtime has the same table."""

from bisect import bisect_right
from functools import lru_cache

from tfcompress.text.text_tables import NUMBERED, RUNS, TITLES

# What a character is to the end of a sentence.
SOFT_END, HARD_END, CLOSE, OPEN, DIGIT, SMALL, INITIAL = range(1, 8)
# How it holds to its neighbours.
_TO_PREVIOUS, TO_NEXT, TO_BOTH, LINKER = range(1, 5)

# Before a name or noun, and before a number, these have a full stop that ends no sentence.
TITLE_WORDS = frozenset(TITLES.split())
NUMBERED_WORDS = frozenset(NUMBERED.split())

_RUNS = [int(run, 16) for run in RUNS.split()]


@lru_cache(maxsize=1 << 14)
def _properties(character: str) -> int:
    return _RUNS[bisect_right(_RUNS, ord(character) << 9 | 511) - 1] & 511


def character_class(character: str) -> int:
    """Returns what a character is to the end of a sentence, or 0.

    Example:
        >>> character_class("?") == SOFT_END
        True
    """
    return _properties(character) & 7


def joins(character: str) -> int:
    """Returns how a character holds to its neighbours in a grapheme cluster, or 0.

    Example:
        >>> joins("\u200d") == TO_BOTH
        True
    """
    return _properties(character) >> 3 & 7


def is_mark(character: str) -> bool:
    """Returns whether a character belongs to the grapheme cluster of the one before it.

    Example:
        >>> is_mark("\u0301")
        True
    """
    return joins(character) not in (0, TO_NEXT)


def is_unspaced(character: str) -> bool:
    """Returns whether a character is of a script that has no spaces between words, as Chinese.

    Example:
        >>> is_unspaced("\\u4e2d")
        True
    """
    return bool(_properties(character) & 64)


def is_space(character: str) -> bool:
    """Returns whether a character is white space, also of no width.

    Example:
        >>> is_space("\\u3000")
        True
    """
    return bool(_properties(character) & 128)


def is_blank(text: str) -> bool:
    """Returns whether a text has nothing to read.

    Args:
        text: The text. It is blank if each code point of it is white space, a separator, a control
            or format character (the categories Zs, Zl, Zp, Cc and Cf), or ignorable by default.

    Example:
        >>> is_blank("\\t\\u3000\\u200b"), is_blank("a")
        (True, False)
    """
    return all(_properties(character) & 256 for character in text)
