"""Cuts text that is too long for a model into parts that are not."""

import re
from collections.abc import Callable

# A full stop, exclamation or question mark or ellipsis, closing quotes and brackets, and a space;
# or the full-width marks of Chinese and Japanese, which no space follows.
_SENTENCE_ENDS = re.compile(
    "[.!?\u2026][\"'\u201d\u2019\u00bb)\\]]*\\s+|[\u3002\uff01\uff1f]+[\u300d\u300f\u201d]*"
)
_SPACES = re.compile(r"\s+")


def split_text(text: str, fits: Callable[[str], bool]) -> list[str] | None:
    """Halves a text until every part fits.

    A text is cut at the end of the sentence nearest to its middle; within a sentence, at the
    space nearest to the middle; within a word, in the middle.

    Args:
        text: The text.
        fits: Tells whether a text is short enough.

    Returns:
        The parts in order, without the spaces between them; None if a single character does not
        fit.

    Example:

    >>> split_text("One two. Three four.", lambda text: len(text) < 12)
    ['One two.', 'Three four.']
    """
    text = text.strip()
    if fits(text):
        return [text]
    if len(text) < 2:
        return None
    cut = _middle_cut(text)
    parts = [split_text(half, fits) for half in (text[:cut], text[cut:])]
    return None if None in parts else parts[0] + parts[1]


def _middle_cut(text):
    middle = len(text) // 2
    for pattern in (_SENTENCE_ENDS, _SPACES):
        cuts = [match.end() for match in pattern.finditer(text) if match.end() < len(text)]
        if cuts:
            return min(cuts, key=lambda cut: abs(cut - middle))
    return middle
