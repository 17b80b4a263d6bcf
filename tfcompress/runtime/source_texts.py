"""Texts in the parts that they are translated in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tfcompress.runtime.markup import MarkupDocument
from tfcompress.runtime.search import Hypothesis
from tfcompress.runtime.splitting import join_texts, separated
from tfcompress.runtime.tag_placement import AlignedPart, Span


@dataclass(frozen=True)
class SourcePart:
    """A part of a text.

    Attributes:
        ids: Its ids, without the end id.
        breaks: The line breaks or space before it.
        text: The part.
        begin: Where it is in its line or segment.
        code: The code of the language that it is translated to, which is put before it where it
            does not begin with one; or "".
        tokens: Where the tokens of its ids are in it, where the bundle gives alignments.
    """

    ids: list[int]
    breaks: str = ""
    text: str = ""
    begin: int = 0
    code: str = ""
    tokens: Sequence[Span] = ()


@dataclass(frozen=True)
class TranslatedPart:
    """The translation of a part, with its text where there is a tokenizer.

    Attributes:
        hypothesis: The translation.
        source_tokens: Where the part's tokens are in it, where the bundle gives alignments.
        target_tokens: Where the translation's are.
        weights: How these are aligned, `[target tokens + 1, source tokens + 1]`, the last of each
            being the end mark; or None.
    """

    hypothesis: Hypothesis
    source_tokens: Sequence[Span] = ()
    target_tokens: Sequence[Span] = ()
    weights: np.ndarray | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        """The text of the translation."""
        return self.hypothesis.text or ""


class SourceText(Protocol):
    """A text, and how the translations of its parts are joined."""

    @property
    def parts(self) -> Sequence[SourcePart]:
        """What is translated."""
        ...

    def join(self, translated: Sequence[TranslatedPart]) -> str | None:
        """Returns the translation of the whole."""
        ...


@dataclass(frozen=True)
class SourceIds:
    """Ids, which have no text."""

    parts: Sequence[SourcePart]

    def join(self, translated: Sequence[TranslatedPart]) -> None:
        """Returns no text."""


@dataclass(frozen=True)
class PlainText:
    """A text without tags."""

    parts: Sequence[SourcePart]

    def join(self, translated: Sequence[TranslatedPart]) -> str:
        """Returns the translations with the line breaks or space between them."""
        texts = (one.text for one in translated)
        return join_texts((part.breaks, text) for part, text in zip(self.parts, texts))


class MarkupText:
    """A text with tags.

    Args:
        text: The markup.
        split: Returns the parts of a segment.
    """

    def __init__(self, text: str, split: Callable[[str], list[SourcePart]]):
        self._document = MarkupDocument.parse(text)
        self._rows = [split(segment.text) for segment in self._document.segments]
        self.parts = [part for row in self._rows for part in row]

    def join(self, translated: Sequence[TranslatedPart]) -> str:
        """Returns the markup with the translations."""
        following = iter(translated)
        return self._document.join(
            [_joined(row, [next(following) for _ in row]) for row in self._rows]
        )


def _joined(parts, translated):
    """Returns the translation of a segment, and how it is aligned."""
    text, alignment = "", []
    pieces = separated((part.breaks, one.text) for part, one in zip(parts, translated))
    for part, one, (separator, piece) in zip(parts, translated, pieces):
        text += separator
        alignment.append(_aligned(part, one, len(text)))
        text += piece
    return text, alignment


def _aligned(part, one, begin):
    return AlignedPart(
        (part.begin, part.begin + len(part.text)),
        (begin, begin + len(one.text)),
        shifted(one.source_tokens, part.begin),
        shifted(one.target_tokens, begin),
        np.zeros([0, 0]) if one.weights is None else one.weights[:-1, :-1],
    )


def shifted(spans: Sequence[Span], by: int) -> list[Span]:
    """Returns spans with another beginning.

    Args:
        spans: The spans.
        by: What is added to their places.
    """
    return [(begin + by, end + by) for begin, end in spans]
