"""Finds where sentences end; the native runtime does the very same.

The rules are our own, as no sentence splitter comes as both a light Python package and a C++
library. They are in the spirit of Unicode's (UAX #29), with lists of abbreviations: a full stop,
question or exclamation mark or ellipsis ends a sentence with the quotation marks and brackets after
it, if a space follows and no small letter; those of Chinese, Arabic, Hindi and other scripts do
anyhow. The full stop of a title, an abbreviation or an initial never does.
"""

import re

from tfcompress.text import characters
from tfcompress.text.characters import character_class, is_mark, is_space, is_unspaced

QUOTES = (characters.CLOSE, characters.OPEN)
_DOTS = ".\u2024\u2026"


def sentence_begins(text: str, *, doubtful: bool) -> list[int]:
    """Finds where sentences begin, but for the first.

    Args:
        text: A line.
        doubtful: Whether a sentence may also end where a small letter follows, after a number of
            one or two digits (which may be an ordinal, but after "p." and the like) and in front of
            a Japanese particle.

    Example:

    >>> sentence_begins("Dr. Smith is 3.5 m tall. Really?", doubtful=False)
    [25]
    """
    cuts, at = [], 0
    while at < len(text):
        if not _ends(text, at):
            at += 1
            continue
        begin, is_hard = at, False
        while at < len(text) and _ends(text, at):
            is_hard |= character_class(text[at]) == characters.HARD_END
            at += 1
        closed = _skip_quotes(text, at, QUOTES[:1] if is_hard else QUOTES)
        following = _skip_spaces(text, closed)
        if following == len(text):
            break
        decide = _is_hard_end if is_hard else _is_soft_end
        is_end = decide(text, begin, at, closed, following, doubtful)
        if is_end and not is_mark(text[following]):
            cuts.append(following)
            at = following
    return cuts


def _ends(text, at):
    """Returns whether a character is a mark that may end a sentence."""
    if character_class(text[at]) == characters.HARD_END:
        # A full-width full stop may be a decimal point.
        is_point = text[at] in "\uff0e\ufe52" and at + 1 < len(text)
        return not (is_point and character_class(text[at + 1]) == characters.DIGIT)
    return character_class(text[at]) == characters.SOFT_END


def _is_hard_end(text, begin, end, closed, following, doubtful):
    # After a Japanese quotation, a particle shows that the sentence goes on.
    is_quotation = end < closed == following
    return doubtful or not (is_quotation and "\u3041" <= text[following] <= "\u3096")


def _is_soft_end(text, begin, end, closed, following, doubtful):
    is_full_stop = end == begin + 1 and text[begin] == "."
    if closed == following:
        # Marks of Latin script among characters that no spaces stand between.
        if not is_unspaced(text[following]) or character_class(text[following]) == characters.DIGIT:
            return False
        is_after_unspaced = begin > 0 and is_unspaced(text[begin - 1])
        return text[end - 1] not in _DOTS or (is_full_stop and is_after_unspaced)
    while following != (after := _skip_spaces(text, _skip_quotes(text, following))):
        following = after
    next_kind = character_class(text[following]) if following < len(text) else 0
    if next_kind == characters.SMALL and not doubtful:
        return False
    return not (
        is_full_stop and end == closed and _is_abbreviated(text, begin, next_kind, doubtful)
    )


def _is_abbreviated(text, end, next_kind, doubtful):
    """Returns whether the full stop after a word ends no sentence."""
    begin = _word_begin(text, end)
    word = text[begin:end]
    if 1 <= len(word) <= 2 and all(character_class(c) == characters.DIGIT for c in word):
        return not (doubtful or _is_numbered(text, begin))
    last = _last_part(word)
    if last in characters.TITLE_WORDS:
        return True
    if last in characters.NUMBERED_WORDS and next_kind == characters.DIGIT:
        return True
    return last != "" and _is_initial(last)


def _is_numbered(text, begin):
    """Returns whether a number follows an abbreviation, as in "p. 5", and so is no ordinal."""
    end = begin
    while end > 0 and is_space(text[end - 1]):
        end -= 1
    if end in (0, begin) or text[end - 1] != ".":
        return False
    word = text[_word_begin(text, end - 1) : end - 1]
    return _last_part(word) in characters.NUMBERED_WORDS


def _word_begin(text, end):
    begin = end
    while begin > 0 and not is_space(text[begin - 1]) and not is_unspaced(text[begin - 1]):
        begin -= 1
    return min(_skip_quotes(text, begin), end)


def _last_part(word):
    return re.split("[.-]", word)[-1]


def _is_initial(word):
    letter = word[0]
    if not all(map(is_mark, word[1:])):
        return False
    # Small letters beyond these may be whole words.
    is_plain = letter < "\u0080" or "\u0370" <= letter < "\u0530"
    return character_class(letter) == characters.INITIAL or (
        character_class(letter) == characters.SMALL and is_plain
    )


def _skip_quotes(text, at, classes=QUOTES):
    while at < len(text) and character_class(text[at]) in classes:
        at += 1
    return at


def _skip_spaces(text, at):
    while at < len(text) and is_space(text[at]):
        at += 1
    return at
