"""Noise on source texts, which makes a translator robust against what people type."""

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tfcompress.digests import digest
from tfcompress.errors import InputError
from tfcompress.schema import type_problems
from tfcompress.text.words import word_spans

INSERTED = -1
_RATES = ("upper_case", "title_case", "typos", "no_full_stop", "tags")
_FULL_STOPS = ".!?\u2026\u3002\uff01\uff1f\u0964"
_APOSTROPHES = "'\u2019"
_TAGS = ("b", "i", "em", "a", "span", "code")
# Letters for each typo of a text, and those that a word must have for one.
_LETTERS_A_TYPO, _LETTERS = 40, 4


class NoisyText(NamedTuple):
    """A text with noise.

    Attributes:
        text: The text.
        origins: For each of its characters the place in the text without noise, or `INSERTED`.
    """

    text: str
    origins: Sequence[int]


@dataclass(frozen=True)
class InputNoise:
    """How often source texts are changed, each rate being a part of all texts, in [0, 1].

    What a text becomes depends on the seed, its line and the variant alone. Targets stay as they
    are, so that a model learns to translate as if there were no noise. Of several sorts that meet
    in a text all are applied, but for upper case and title case, of which a text has one.

    Attributes:
        upper_case: Texts in capitals.
        title_case: Texts in which every word begins with a capital.
        typos: Texts with letters exchanged, left out or doubled, about one in 40.
        no_full_stop: Texts whose last mark, such as a full stop, is left out.
        tags: Texts with tags of a markup language around some words.
        seed: Seed of all of it.
        variants: How many versions of the text there are; epochs have them in turn.

    Raises:
        InputError: If a rate is no number in [0, 1], or seed or variants are impossible.

    Example:
        >>> noise = InputNoise(upper_case=1.0, no_full_stop=1.0)
        >>> noise.apply("It runs.", line=0).text
        'IT RUNS'
    """

    upper_case: float = 0.0
    title_case: float = 0.0
    typos: float = 0.0
    no_full_stop: float = 0.0
    tags: float = 0.0
    seed: int = 0
    variants: int = 4

    def __post_init__(self):
        if problems := type_problems(self) or [*self.problems()]:
            raise InputError(f"The noise cannot be made. Received: {'; '.join(problems)}.")

    def problems(self):
        """Yields what is impossible about the settings."""
        for name in _RATES:
            rate = getattr(self, name)
            if not 0 <= rate <= 1:
                yield f"`{name}` must lie in [0, 1] (received {rate})"
        if self.upper_case + self.title_case > 1:
            yield (
                "`upper_case` and `title_case` must not exceed 1 together (received "
                f"{self.upper_case} and {self.title_case})"
            )
        if not 0 <= self.seed < 2**32:
            yield f"`seed` must lie in [0, 2**32) (received {self.seed})"
        if not 1 <= self.variants <= 1000:
            yield f"`variants` must lie in [1, 1000] (received {self.variants})"

    def digest(self) -> str:
        """Returns hexadecimal digits that change with any setting."""
        return digest(dataclasses.asdict(self))

    def apply(self, text: str, *, line: int, variant: int = 0) -> NoisyText:
        """Returns a text with noise.

        Args:
            text: The text.
            line: Its number in the corpus.
            variant: The version's number, from 0.
        """
        draw = random.Random(f"{self.seed} {variant} {line}").random
        case, *chances = (draw() for _ in range(4))
        noisy = [(character, place) for place, character in enumerate(text)]
        if case < self.upper_case:
            noisy = _upper(noisy)
        elif case < self.upper_case + self.title_case:
            noisy = _title(noisy)
        rates = (self.typos, self.no_full_stop, self.tags)
        for chance, rate, change in zip(chances, rates, (_mistyped, _open_ended, _tagged)):
            if chance < rate:
                noisy = change(noisy, draw)
        return NoisyText("".join(one for one, _ in noisy), [place for _, place in noisy])


def _upper(noisy):
    return [(upper, place) for one, place in noisy for upper in one.upper()]


def _title(noisy):
    begins = {begin for begin, _ in _spans(noisy)}
    begins -= {begin for begin in begins if begin and noisy[begin - 1][0] in _APOSTROPHES}
    return [
        (title, place)
        for number, (one, place) in enumerate(noisy)
        for title in (one.title() if number in begins else one)
    ]


def _mistyped(noisy, draw):
    letters = [one.isalpha() for one, _ in noisy]
    long = [
        (begin, end)
        for begin, end in _spans(noisy)
        if end - begin >= _LETTERS and all(letters[begin:end])
    ]
    if not long:
        return noisy
    typos = 1 + sum(letters) // _LETTERS_A_TYPO
    words = {long[int(draw() * len(long))] for _ in range(typos)}
    mistyped, kept = [], 0
    for begin, end in sorted(words):
        at = begin + int(draw() * (end - begin - 1))
        one, other = noisy[at : at + 2]
        typo = ([other, one], [other], [one, one, other])[int(draw() * 3)]
        mistyped += [*noisy[kept:at], *typo]
        kept = at + 2
    return mistyped + noisy[kept:]


def _open_ended(noisy, draw):
    end = len(noisy)
    while end and noisy[end - 1][0].isspace():
        end -= 1
    stop = end
    while stop and noisy[stop - 1][0] in _FULL_STOPS:
        stop -= 1
    # A text of marks alone stays.
    return noisy[:stop] if any(not one.isspace() for one, _ in noisy[:stop]) else noisy


def _tagged(noisy, draw):
    spans = _spans(noisy)
    if not spans:
        return noisy
    first = int(draw() * len(spans))
    last = min(len(spans) - 1, first + int(draw() * 3))
    begin, end = spans[first][0], spans[last][1]
    tag = _TAGS[int(draw() * len(_TAGS))]
    opening, closing = ([(one, INSERTED) for one in mark] for mark in (f"<{tag}>", f"</{tag}>"))
    return [*noisy[:begin], *opening, *noisy[begin:end], *closing, *noisy[end:]]


def _spans(noisy):
    return word_spans("".join(one for one, _ in noisy))
