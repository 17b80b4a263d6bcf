"""Puts tags around the translations of the words that they were around; as the native runtime does.

What a translated word owes to the words under a tag is the share of their weight in its alignment.
An element goes around the run of words in which what is over one half, summed, is greatest, so that
a single word that is aligned elsewhere neither extends nor cuts it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfcompress.text import characters
from tfcompress.text.characters import character_class, is_space, is_unspaced

Span = tuple[int, int]

# Shares are whole numbers, so that sums are the same everywhere.
_ONE = 1 << 20
_HALF = _ONE >> 1
_PUNCTUATION = (characters.SOFT_END, characters.HARD_END, characters.CLOSE, characters.OPEN)
_COMMAS = ",;:\u060c\u061b\u3001\uff0c\uff1a\uff1b"


@dataclass
class Tag:
    """A tag with its partner, or whatever else has a place in a text.

    Attributes:
        begin: Where the text in it begins.
        end: Where that ends; the same without a partner.
        opening: How it is written.
        closing: How its partner is, or "".
        parent: The number of the element that it is in, or -1.
        spaces: Whether space is before and after it, where it has no partner.
    """

    begin: int
    end: int
    opening: str
    closing: str = ""
    parent: int = -1
    spaces: tuple[bool, bool] = (False, False)


@dataclass(frozen=True)
class AlignedPart:
    """How a part of a text and its translation are aligned.

    Attributes:
        source: Where the part is in the text.
        target: Where its translation is in the whole one.
        source_tokens: Where each token is in the text.
        target_tokens: Where each token is in the translation.
        weights: `[target tokens, source tokens]`.
    """

    source: Span
    target: Span
    source_tokens: Sequence[Span]
    target_tokens: Sequence[Span]
    weights: np.ndarray


TextAlignment = Sequence[AlignedPart]


def place_tags(
    source: str,
    tags: Sequence[Tag],
    target: str,
    alignment: TextAlignment,
    encode: Callable[[str], str] = str,
) -> str:
    """Returns a translation with the tags of its source.

    Args:
        source: The text.
        tags: Its tags, each after the one that it is in.
        target: The translation.
        alignment: The parts in their order.
        encode: Makes markup of what is between tags.

    Example:

    >>> words = AlignedPart((0, 3), (0, 3), [(0, 1), (2, 3)], [(0, 1), (2, 3)], np.eye(2)[::-1])
    >>> place_tags("a b", [Tag(0, 1, "<b>", "</b>")], "B A", [words])
    'B <b>A</b>'
    """
    return _Placement(source, tags, target, alignment).render(encode)


def split_words(text: str, alignment: TextAlignment) -> list[Span]:
    """Returns where words are: what tags go around.

    Args:
        text: The translation.
        alignment: The parts in their order.

    Returns:
        Words between spaces, without the punctuation at their ends, which counts by itself; in
        scripts without spaces, tokens.

    Example:

    >>> split_words("(so what)", [])
    [(0, 1), (1, 3), (4, 8), (8, 9)]
    """
    token_ends = {end for part in alignment for span in part.target_tokens for end in span}
    token_ends |= {end for part in alignment for end in part.target}
    words, at = [], 0
    while at < len(text):
        if is_space(text[at]):
            at += 1
            continue
        end = at
        while end < len(text) and not is_space(text[end]):
            end += 1
        begin, last = at, end
        while begin < last and _is_punctuation(text[begin]):
            words.append((begin, begin + 1))
            begin += 1
        while last > begin and _is_punctuation(text[last - 1]):
            last -= 1
        for cut in range(begin + 1, last):
            is_between = is_unspaced(text[cut - 1]) or is_unspaced(text[cut])
            is_end = cut in token_ends or any(map(_is_punctuation, text[cut - 1 : cut + 1]))
            if is_between and is_end:
                words.append((begin, cut))
                begin = cut
        if begin < last:
            words.append((begin, last))
        words += [(place, place + 1) for place in range(last, end)]
        at = end
    return words


def shared_characters(rows: Sequence[Span], columns: Sequence[Span]) -> np.ndarray:
    """Returns which part of each token of one tokenizer is in those of another, ends included.

    Args:
        rows: Where the tokens of the one are in a text.
        columns: Where those of the other are.

    Returns:
        `[rows + 1, columns + 1]`, whose last row and column are of the end marks.

    Example:

    >>> shared_characters([(0, 2)], [(0, 1), (1, 2)]).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    shares = np.zeros([len(rows) + 1, len(columns) + 1])
    for row, token in zip(shares, rows):
        row[:-1] = [_overlap(token, other) for other in columns]
        row /= max(row.sum(), 1)
    shares[-1, -1] = 1
    return shares


class _Shares:
    """What words of the translation owe to the text before a place in the source."""

    def __init__(self, source, words, alignment):
        self._known: dict[int, _Owed] = {}
        begins = [part.target[0] for part in alignment]
        # Where the words of each part begin, and the last ones end.
        self._firsts = [*(bisect_left(words, (begin,)) for begin in begins), len(words)]
        self._ends = [part.source[1] for part in alignment]
        self._parts = [
            _PartShares(source, part, words[first:last])
            for part, first, last in zip(alignment, self._firsts, self._firsts[1:])
        ]

    def before(self, place: int) -> "_Owed":
        """Returns the share of each word, of `_ONE`."""
        if place not in self._known:
            number = bisect_right(self._ends, place)
            low = self._firsts[number]
            has_some = number < len(self._parts) and self._parts[number].begin < place
            shares = self._parts[number].before(place) if has_some else _NONE
            self._known[place] = _Owed(self._firsts[0], low, shares)
        return self._known[place]


class _Owed(NamedTuple):
    """All of the words from `first` to `low`, these shares of those that follow, no others."""

    first: int
    low: int
    shares: np.ndarray

    @property
    def high(self):
        return self.low + len(self.shares)

    def between(self, begin, end):
        """Returns the shares of some words."""
        shares = np.zeros(end - begin, np.int64)
        shares[max(self.first - begin, 0) : max(self.low - begin, 0)] = _ONE
        known = self.shares[max(begin - self.low, 0) : max(end - self.low, 0)]
        at = max(self.low - begin, 0)
        shares[at : at + len(known)] = known
        return shares


_NONE = np.zeros(0, np.int64)


class _PartShares:
    """The same for a part, and a place in it."""

    def __init__(self, source, part, words):
        self.begin, self._end = part.source
        tokens = [_without_space(source, span) for span in part.source_tokens]
        self._begins, self._ends = np.array(tokens, np.int64).reshape(-1, 2).T
        self._rows = _rows(part, words)
        # From left to right, as the native runtime adds.
        self._sums = np.add.accumulate(np.pad(self._rows, [(0, 0), (1, 0)]), axis=1)

    def before(self, place):
        lengths = self._ends - self._begins
        parts = np.clip((place - self._begins) / np.maximum(lengths, 1), 0, 1)
        parts = np.where(lengths > 0, parts, self._begins < place)
        # Only tokens between are not taken as a whole, or not at all.
        whole = np.append(parts != 1, True).argmax()
        weighted = self._sums[:, whole]
        for token in range(whole, len(parts) - np.append(parts[::-1] != 0, True).argmax()):
            weighted = weighted + self._rows[:, token] * parts[token]
        totals = self._sums[:, -1]
        is_aligned = totals > 1e-9
        alone = (place - self.begin) / (self._end - self.begin)
        shares = np.where(is_aligned, weighted / np.where(is_aligned, totals, 1), alone)
        return np.floor(shares * _ONE + 0.5).astype(np.int64)


class _Placement:
    """Where each tag goes: between which words."""

    def __init__(self, source, tags, target, alignment):
        self._tags, self._target = tags, target
        self._words = split_words(target, alignment)
        self._shares = _Shares(source, self._words, alignment)
        self._spans: list[Span] = [(0, 0)] * len(tags)
        self._children: dict[int, list[int]] = {}
        for number, tag in enumerate(tags):
            self._children.setdefault(tag.parent, []).append(number)
        for parent in (-1, *range(len(tags))):
            if parent in self._children:
                self._place(self._children[parent], *self._span(parent))

    def _span(self, number):
        return (0, len(self._words)) if number < 0 else self._spans[number]

    def _place(self, numbers, begin, end):
        """Places the tags that are directly in an element, which has the words `begin:end`."""
        elements = [number for number in numbers if self._tags[number].closing]
        surplus = {number: self._surplus(number, begin, end) for number in elements}
        owner = np.full(end - begin, -1)
        for number, (span, own) in surplus.items():
            owner[span][own > 0] = number
        taken = np.full(end - begin, -1)

        def take(number, first, last):
            taken[first:last] = number
            self._spans[number] = (begin + first, begin + last)

        homeless = []
        for number, (span, own) in surplus.items():
            is_free = (taken[span] < 0) & ((owner[span] < 0) | (owner[span] == number))
            if (run := _best_run(own.tolist(), is_free.tolist())) is None:
                homeless.append(number)
            else:
                take(number, span.start + run[0], span.start + run[1])
        points = [number for number in numbers if not self._tags[number].closing]
        for number in homeless:
            span, own = surplus[number]
            left = np.where(taken[span] < 0, own, -_HALF)
            if left.size and left.max() > -_HALF:
                word = span.start + int(left.argmax())
                take(number, word, word + 1)
            else:
                points.append(number)
        if points:
            self._place_points(points, begin, taken)

    def _surplus(self, number, begin, end):
        """Returns those words that owe anything to an element, and what is over half of each."""
        tag = self._tags[number]
        last, first = self._shares.before(tag.end), self._shares.before(tag.begin)
        low = min(max(first.low, begin), end)
        high = max(min(last.high, end), low)
        own = last.between(low, high) - first.between(low, high) - _HALF
        return slice(low - begin, high - begin), own

    def _place_points(self, numbers, begin, taken):
        """Places what goes between words: after all that owe more than half to what is before."""
        count = len(taken)
        gaps = np.arange(count + 1)
        is_inside = np.zeros(count + 1, bool)
        is_inside[1:-1] = (taken[1:] >= 0) & (taken[1:] == taken[:-1])
        # The next gaps that are in no element.
        left = np.maximum.accumulate(np.where(is_inside, 0, gaps))
        right = np.minimum.accumulate(np.where(is_inside, count, gaps)[::-1])[::-1]
        for number in numbers:
            owed = self._shares.before(self._tags[number].begin)
            first, low, high = (
                min(max(place - begin, 0), count) for place in (owed.first, owed.low, owed.high)
            )
            # The score rises before those words of which there are shares, and falls after them.
            some = owed.between(begin + low, begin + high) - _HALF
            scores = np.concatenate([[0], np.cumsum(some)]) + _HALF * (low - 2 * first)
            inner = np.where(is_inside[low : high + 1], np.iinfo(np.int64).min, scores)
            before, after, best = int(left[low]), int(right[high]), int(inner.argmax())
            choices = [(0, 0)]
            if before >= first:
                choices.append((_HALF * (before - 2 * first), -before))
            choices.append((int(inner[best]), -low - best))
            choices.append((int(scores[-1]) - _HALF * (after - high), -after))
            gap = begin - max(choices)[1]
            self._spans[number] = (gap, gap)

    def render(self, encode):
        pieces, at = [], 0

        def put(place, markup):
            nonlocal at
            place = max(place, at)
            pieces.extend((encode(self._target[at:place]), markup))
            at = place

        opened, ends = [self._ordered(-1)], []
        while opened:
            number = next(opened[-1], None)
            if number is None:
                opened.pop()
                if ends:
                    put(*ends.pop())
                continue
            tag, (begin, end) = self._tags[number], self._spans[number]
            if begin < end:
                place, last = self._words[begin][0], self._words[end - 1][1]
            else:
                place = last = self._gap(number)
            if tag.closing:
                put(place, tag.opening)
                opened.append(self._ordered(number))
                ends.append((last, tag.closing))
            else:
                put(place, self._spaced(tag, max(place, at)))
        return "".join([*pieces, encode(self._target[at:])])

    def _ordered(self, parent):
        """The tags in an element, in the order of the translation; a gap is before its word."""

        def order(number):
            begin, end = self._spans[number]
            return begin, begin < end

        return iter(sorted(self._children.get(parent, ()), key=order))

    def _gap(self, number):
        """Returns where a tag without words goes: after a word, or before the next one."""
        tag, (gap, _) = self._tags[number], self._spans[number]
        low = self._words[gap - 1][1] if gap else 0
        high = self._words[gap][0] if gap < len(self._words) else len(self._target)
        begin, end = self._span(tag.parent)
        if tag.parent >= 0 and begin < end:
            low, high = max(low, self._words[begin][0]), min(high, self._words[end - 1][1])
        return high if tag.spaces == (True, False) else low

    def _spaced(self, tag, at):
        """Returns a tag with the space that it needs beside that of the translation."""
        before, after = tag.spaces
        left, right = self._target[max(at - 1, 0) : at], self._target[at : at + 1]
        needs_left = before and left and not is_space(left)
        needs_right = after and right and not (is_space(right) or _follows_words(right))
        return " " * bool(needs_left) + tag.opening + " " * bool(needs_right)


def _best_run(surplus, is_free):
    """Returns the run of free words with the greatest sum, if that is above 0."""
    best, span, total, begin = 0, None, 0, 0
    for at, value in enumerate(surplus):
        if not is_free[at] or total <= 0:
            total, begin = 0, at
        if not is_free[at]:
            begin = at + 1
            continue
        total += value
        if total > best:
            best, span = total, (begin, at + 1)
    return span


def _rows(part, words):
    """Returns how words are aligned with the tokens of the source."""
    rows = np.zeros([len(words), len(part.source_tokens)])
    weights = np.asarray(part.weights, np.float64)
    weights = np.where(np.isfinite(weights), np.maximum(weights, 0), 0)
    begins, ends = np.array(words, np.int64).reshape(-1, 2).T[:, :, None]
    token_begins, token_ends = np.array(part.target_tokens, np.int64).reshape(-1, 2).T
    shared = np.minimum(ends, token_ends) - np.maximum(begins, token_begins)
    for word, token in zip(*np.nonzero(shared > 0)):
        rows[word] += shared[word, token] * weights[token]
    return rows


def _without_space(text, span):
    begin, end = span
    while begin < end and is_space(text[begin]):
        begin += 1
    while end > begin and is_space(text[end - 1]):
        end -= 1
    return begin, end


def _overlap(one, other):
    return max(min(one[1], other[1]) - max(one[0], other[0]), 0)


def _is_punctuation(character):
    return character in _COMMAS or character_class(character) in _PUNCTUATION


def _follows_words(character):
    return _is_punctuation(character) and character_class(character) != characters.OPEN
