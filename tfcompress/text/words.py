"""Words of a text, as word alignment counts them."""

import re

_WORD = re.compile(r"\w+|[^\w\s]")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Returns where each word of a text begins and ends.

    A word is a run of letters, digits and underscores, or any other single mark.

    Args:
        text: The text.

    Example:
        >>> word_spans("It's on!")
        [(0, 2), (2, 3), (3, 4), (5, 7), (7, 8)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def split_words(text: str) -> list[str]:
    """Returns the words of a text.

    Args:
        text: The text.

    Example:
        >>> split_words("It's on!")
        ['It', "'", 's', 'on', '!']
    """
    return _WORD.findall(text)
