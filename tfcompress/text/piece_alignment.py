"""Which pieces of a source and a target translate each other, from which words do."""

import re
from collections.abc import Sequence

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.input_noise import NoisyText
from tfcompress.text.words import word_spans

_LINK = re.compile(r"(\d+)-(\d+)")

Spans = Sequence[tuple[int, int]]


def parse_alignment(
    line: str, *, source_words: int, target_words: int, number: int
) -> list[tuple[int, int]]:
    """Reads the alignment of a sentence pair, such as "0-0 1-2".

    Args:
        line: Pairs of a source word's number and a target word's, from 0.
        source_words: How many words the source has.
        target_words: How many the target has.
        number: The line's number, from 1, for errors.

    Raises:
        InputError: If it is no alignment, or names words that there are not.

    Example:
        >>> parse_alignment("0-0 1-2", source_words=2, target_words=3, number=1)
        [(0, 0), (1, 2)]
    """
    links = []
    for part in line.split():
        match = _LINK.fullmatch(part)
        if match is None:
            raise InputError(
                f"An alignment must be pairs such as 0-0 1-2. Received: line {number}, {part!r}."
            )
        source, target = map(int, match.groups())
        if source >= source_words or target >= target_words:
            raise InputError(
                f"An alignment must name words that there are. Received: line {number}, {part}, of "
                f"{source_words} and {target_words} words. Align those of tfcompress.text."
                "split_words."
            )
        links.append((source, target))
    return links


def align_pieces(
    links: Sequence[tuple[int, int]],
    source: str,
    target: str,
    *,
    noisy: NoisyText,
    source_pieces: Spans,
    target_pieces: Spans,
) -> np.ndarray:
    """Returns the links between pieces: each of a word's pieces with each of the other's.

    Args:
        links: Those between words.
        source: The source, without noise.
        target: The target.
        noisy: The source as it is tokenized.
        source_pieces: Where the pieces of the noisy source begin and end.
        target_pieces: Where the pieces of the target begin and end.

    Returns:
        Source and target piece of each link, int32 `[links, 2]`, sorted.

    Example:
        >>> noisy = NoisyText("dogs", range(4))
        >>> pieces = {"source_pieces": [(0, 3), (3, 4)], "target_pieces": [(0, 5)]}
        >>> align_pieces([(0, 0)], "dogs", "hunde", noisy=noisy, **pieces).tolist()
        [[0, 0], [1, 0]]
    """
    by_source = _pieces_of_words(source, noisy.origins, source_pieces)
    by_target = _pieces_of_words(target, range(len(target)), target_pieces)
    pairs = {
        (one, other)
        for source_word, target_word in links
        for one in by_source[source_word]
        for other in by_target[target_word]
    }
    return np.array(sorted(pairs), np.int32).reshape(-1, 2)


def _pieces_of_words(text, origins, pieces) -> list[set[int]]:
    spans = word_spans(text)
    word_at = {place: word for word, span in enumerate(spans) for place in range(*span)}
    found: list[set[int]] = [set() for _ in spans]
    for piece, (begin, end) in enumerate(pieces):
        # Where one character becomes several pieces, all but one are empty.
        for place in range(begin, min(max(end, begin + 1), len(origins))):
            word = word_at.get(origins[place])
            if word is not None:
                found[word].add(piece)
    return found
