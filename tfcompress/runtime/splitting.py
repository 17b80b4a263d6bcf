"""Cuts text into sentences, or into parts that a model can take, and joins their translations.

The native runtime does the very same.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from tfcompress.runtime.sentences import QUOTES, sentence_begins
from tfcompress.text import characters
from tfcompress.text.characters import character_class, is_blank, is_mark, is_space, is_unspaced

Fits = Callable[[str], bool]

_LINE_BREAK = re.compile("(\r?\n)")
# Commas and colons that no space follows.
_CLAUSE_ENDS = "\u3001\uff0c\uff1a\uff1b\uff64\u104a"


def split_lines(text: str) -> list[tuple[str, str]]:
    r"""Splits a text into lines.

    Args:
        text: The text. `\n` and `\r\n` end lines, and nothing else does.

    Returns:
        For each line that is not blank, the line breaks between it and the one before it (none for
        the first), and the line without space around it.

    Example:

    >>> split_lines("One.\n\nTwo. ")
    [('', 'One.'), ('\n\n', 'Two.')]
    """
    lines, breaks = [], ""
    for number, part in enumerate(_LINE_BREAK.split(text)):
        if number % 2:
            breaks += part
        elif not is_blank(part):
            lines.append((breaks if lines else "", _trimmed(part)))
            breaks = ""
    return lines


def split_sentences(text: str) -> list[tuple[str, str]]:
    r"""Splits a text into sentences.

    Args:
        text: The text. Line breaks end sentences too.

    Returns:
        For each sentence, what `join_texts` shall put between it and the one before it, and the
        sentence. That is the space and line breaks that are there; "" for a single space or none,
        as some scripts have it and others have not.

    Example:

    >>> split_sentences("Dr. A came.  He left. It rained.\n\nOK")
    [('', 'Dr. A came.'), ('  ', 'He left.'), ('', 'It rained.'), ('\n\n', 'OK')]
    """
    sentences, last, offset = [], 0, 0
    for line in _LINE_BREAK.split(text):
        cuts = [0, *sentence_begins(line, doubtful=False), len(line)]
        for begin, end in pairwise(cuts):
            sentence = _trimmed(line[begin:end])
            if is_blank(sentence):
                continue
            place = text.index(sentence, offset + begin)
            space = text[last:place] if sentences else ""
            sentences.append(("" if space == " " else space, sentence))
            last = place + len(sentence)
        offset += len(line)
    return sentences


def split_text(text: str, fits: Fits) -> list[str] | None:
    """Cuts a line until every part fits.

    It is cut at the end of each sentence. A sentence that does not fit is cut at doubtful ends of
    sentences (a small letter follows, or a number of one or two digits stands before the full
    stop); then it is cut between words, in scripts without spaces after clauses, into parts as long
    as fit. Only a word that does not fit by itself is cut, between grapheme clusters; and only such
    a cluster between code points.

    Args:
        text: The line.
        fits: Tells whether a text is short enough.

    Returns:
        The parts in order, without the spaces between them; None if a single code point does not
        fit.

    Example:

    >>> split_text("One two. Three four.", lambda text: len(text) < 12)
    ['One two.', 'Three four.']
    """
    return _divide(text, fits, 0)


def join_texts(parts: Iterable[tuple[str, str]]) -> str:
    r"""Joins the translations of the parts of a text.

    Args:
        parts: The line breaks or space before each part, and its translation.

    Returns:
        The translations with these between them; where there are none, with a space, but not in
        scripts that have none.

    Example:

    >>> join_texts([("", "Eins."), ("", "Zwei."), ("\n", "Drei.")])
    'Eins. Zwei.\nDrei.'
    """
    return "".join(separator + text for separator, text in separated(parts))


def separated(parts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yields each part of a text with all that stands before it; see `join_texts`.

    Args:
        parts: As `join_texts` takes them.
    """
    left = ""
    for breaks, text in parts:
        yield breaks + " " * bool(left and text and not breaks and not _joins(left, text)), text
        left = text or ("" if breaks else left)


def _joins(left, right):
    """Returns whether no space stands between two texts."""
    ending = (c for c in reversed(left) if character_class(c) not in (*QUOTES, characters.SOFT_END))
    beginning = (c for c in right if character_class(c) not in QUOTES)
    last, first = next(ending, " "), next(beginning, " ")
    ends = character_class(last) == characters.HARD_END
    return is_unspaced(last) and (ends or is_unspaced(first))


def _divide(text, fits, level):
    text = _trimmed(text)
    if is_blank(text):
        return []
    if fits(text):
        return [text]
    if level == len(_LEVELS):
        return None
    cuts = _LEVELS[level](text, fits)
    parts = []
    for begin, end in zip([0, *cuts], [*cuts, len(text)]):
        smaller = _divide(text[begin:end], fits, level + 1)
        if smaller is None:
            return None
        parts += smaller
    return parts


def _trimmed(text):
    begin, end = 0, len(text)
    while begin < end and is_space(text[begin]) and not is_mark(text[begin + 1 : begin + 2] or "a"):
        begin += 1
    while begin < end and is_space(text[end - 1]):
        end -= 1
    return text[begin:end]


def _packed(text, cuts, fits):
    """Returns those cuts between which there is as much as fits."""
    bounds = [0, *cuts, len(text)]
    first, last, chosen = 0, len(bounds) - 1, []

    def fit(count):
        return fits(_trimmed(text[bounds[first] : bounds[first + count]]))

    while first < last:
        count = 1
        while first + 2 * count <= last and fit(2 * count):
            count *= 2
        beyond = min(2 * count, last - first + 1)
        while beyond - count > 1:
            middle = (count + beyond) // 2
            count, beyond = (middle, beyond) if fit(middle) else (count, middle)
        first += count
        chosen.append(bounds[first])
    return chosen[:-1]


def _words(text):
    """Returns where words begin, and what follows a clause, but for the first."""
    return [
        at
        for at in range(1, len(text))
        if (is_space(text[at - 1]) and not is_space(text[at])) or text[at - 1] in _CLAUSE_ENDS
        if not is_mark(text[at])
    ]


def _clusters(text):
    """Returns where grapheme clusters begin, but for the first: at no other place than UAX #29."""
    cuts = []
    is_held = is_linked = is_half_flag = False
    for at, character in enumerate(text):
        joining = characters.joins(character)
        is_flag = "\U0001f1e6" <= character <= "\U0001f1ff"
        is_second = is_flag and is_half_flag
        if at and not (is_held or is_second or is_mark(character)):
            cuts.append(at)
        is_half_flag = is_flag and not is_second
        is_linked = joining == characters.LINKER or (is_linked and is_mark(character))
        is_held = is_linked or joining in (characters.TO_NEXT, characters.TO_BOTH)
    return cuts


_LEVELS = (
    lambda text, fits: sentence_begins(text, doubtful=False),
    lambda text, fits: sentence_begins(text, doubtful=True),
    lambda text, fits: _packed(text, _words(text), fits),
    lambda text, fits: _packed(text, _clusters(text), fits),
    lambda text, fits: _packed(text, range(1, len(text)), fits),
)
