"""The fixed attention patterns: as linear-time functions of the values, and as dense matrices."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfcompress.constants import PATTERNS
from tfcompress.layers.common.pattern_units import TokenUnits, WordUnits, mirror

SEVEN_FIXED = PATTERNS[:7]
EIGHT_FIXED = PATTERNS
EDGES = ("zero", "self")

# Each is the other, read from the end of the sentence.
_MIRRORED = {
    "next": "previous",
    "right_context": "left_context",
    "sentence_start": "sentence_end",
}


def apply_pattern(
    name: str, values: tf.Tensor, units: TokenUnits | WordUnits, edges: str = "zero"
) -> tf.Tensor:
    """Averages values with the weights of one pattern, in time linear in their number.

    Args:
        name: One of `PATTERNS`.
        values: `[batch, length, width]`, zero where there is no token; the mean of a word at each
            of its tokens.
        units: What the pattern holds between. Padding stands before or after the tokens but not
            between them.
        edges: What a token attends to whose targets lie outside the sentence: `"zero"`, nothing;
            `"self"`, its own unit.

    Returns:
        `[batch, length, width]`; anything finite at padding.
    """
    if name == "current":
        return values
    if name in _MIRRORED:
        mirrored = apply_pattern(_MIRRORED[name], mirror(values), units.mirrored(), edges)
        return mirror(mirrored)
    if name in ("sentence_end", "last_token"):
        weights = (_sentence_end if name == "sentence_end" else _last)(units.marks)
        return units.tokens * tf.reduce_sum(weights * values, axis=1, keepdims=True)
    ranks = tf.cumsum(units.marks, axis=1)
    if name == "previous":
        reach, y = 1, units.before(values)
    else:
        # A total minus a prefix would lose digits: nothing is subtracted here, nor in the mirror.
        sums = tf.cumsum(_cube(ranks) * units.marks * values, axis=1)
        reach, y = 2, units.before(units.before(sums))
        y /= tf.maximum(_sum_of_cubes(ranks - 2), 1)
    if edges == "self":
        y += tf.cast(ranks <= reach, y.dtype) * values
    return y


def _sentence_end(marks):
    """The weights of each unit, `[batch, length, 1]`, growing towards the end."""
    count = tf.reduce_sum(marks, axis=1, keepdims=True)
    return marks * _cube(tf.cumsum(marks, axis=1)) / tf.maximum(_sum_of_cubes(count), 1)


def _last(marks):
    remaining = mirror(tf.cumsum(mirror(marks), axis=1))
    return marks * tf.cast(remaining <= 1, marks.dtype)


def _cube(x):
    return tf.square(x) * x


def _sum_of_cubes(count):
    """`1**3 + ... + count**3`."""
    return tf.square(count * (count + 1) / 2)


def pattern_matrix(
    name: str, length: int, edges: str = "zero", word_ids: Sequence[int] | None = None
) -> np.ndarray:
    """Returns the attention weights of a pattern as a matrix, for inspection.

    Args:
        name: One of `PATTERNS`.
        length: Number of tokens in the sentence.
        edges: What a token attends to whose targets lie outside the sentence: `"zero"`, nothing;
            `"self"`, itself.
        word_ids: The word of each token, from 0 upwards, for word-based attention: the pattern
            holds between words, and a word's weight is shared equally by its tokens.

    Returns:
        `[length, length]`: row i holds the weights with which token i attends to each token.

    Raises:
        ValueError: If the pattern or the edges are unknown, the sentence is empty, or the word
            ids do not number the words of the tokens one after another.

    Example:

    >>> pattern_matrix("left_context", 4).round(3)[3]
    array([0.111, 0.889, 0.   , 0.   ])
    """
    check_patterns([name], edges)
    if length < 1:
        raise ValueError(f"`length` must be at least 1. Received: length={length}.")
    words = np.arange(length) if word_ids is None else np.asarray(word_ids)
    if words.shape != (length,) or words[0] != 0 or not np.isin(np.diff(words), (0, 1)).all():
        raise ValueError(
            "`word_ids` must give each token's word, beginning with 0 and rising by 0 or 1. "
            f"Received: word_ids={word_ids} for length={length}. Number the words of one sentence."
        )
    count = int(words[-1]) + 1
    weights = _weights(name, count)
    if edges == "self":
        weights = np.where(weights.any(axis=1, keepdims=True), weights, np.eye(count))
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return weights[np.ix_(words, words)] / np.bincount(words)[words]


def _weights(name, count):
    """The pattern's definition: unnormalized weights `[count, count]`."""
    if name in _MIRRORED:
        return _weights(_MIRRORED[name], count)[::-1, ::-1]
    i, j = np.indices((count, count), dtype=np.float64)
    growing = (j + 1) ** 3
    return {
        "current": 1.0 * (j == i),
        "previous": 1.0 * (j == i - 1),
        "left_context": growing * (j <= i - 2),
        "sentence_end": growing,
        "last_token": 1.0 * (j == count - 1),
    }[name]


def check_patterns(patterns: Sequence[str], edges: str) -> None:
    """Raises ValueError where a pattern or the edges are unknown."""
    for name in patterns:
        if name not in PATTERNS:
            raise ValueError(
                f"Each of `patterns` must be one of {', '.join(PATTERNS)}. Received: {name!r}."
            )
    if edges not in EDGES:
        raise ValueError(f"`edges` must be one of {', '.join(EDGES)}. Received: edges={edges!r}.")
