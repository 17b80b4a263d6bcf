"""What fixed attention patterns hold between: tokens, or words of several tokens."""

from dataclasses import dataclass

import tensorflow as tf

# Of a sentence whose length is known only when it runs, words up to 1,024 tokens are seen.
_DOUBLINGS = 10


class TokenUnits:
    """Each token is a unit of its own.

    Args:
        tokens: `[batch, length, 1]`, 1 at tokens and 0 at padding.

    Attributes:
        tokens: The same.
        marks: `[batch, length, 1]`, 1 at one position of each unit.
    """

    def __init__(self, tokens: tf.Tensor):
        self.tokens = tokens
        self.marks = tokens

    def before(self, x: tf.Tensor) -> tf.Tensor:
        """Returns, at every position, what `x` holds at the unit before; zeros at the first."""
        return shifted(x, 1)

    def mirrored(self) -> "TokenUnits":
        """Returns the units read from the end of the sentence."""
        return TokenUnits(mirror(self.tokens))


@dataclass(frozen=True)
class WordUnits:
    """Each word is a unit, at all of its tokens.

    Attributes:
        tokens: `[batch, length, 1]`, 1 at tokens and 0 at padding.
        marks: `[batch, length, 1]`, 1 at the first token of each word.
        first: int32 `[batch, length]`, the position of the first token of each token's word.
        backwards: The words read from the end of the sentence.
    """

    tokens: tf.Tensor
    marks: tf.Tensor
    first: tf.Tensor
    backwards: "WordUnits | None" = None

    @classmethod
    def number(cls, word_ids: tf.Tensor, tokens: tf.Tensor) -> "WordUnits":
        """Finds the words of sentences.

        Args:
            word_ids: int32 `[batch, length]`, the same for neighbouring tokens of one word.
            tokens: float32 `[batch, length, 1]`, 1 at tokens and 0 at padding.
        """
        ids = tf.cast(tf.expand_dims(word_ids, 2), tf.float32) * tokens
        backwards = _units(mirror(ids), mirror(tokens))
        return cls(*_units(ids, tokens), cls(*backwards))

    def before(self, x: tf.Tensor) -> tf.Tensor:
        """Returns, at every position, what `x` holds just before the word; zeros at the first."""
        return tf.gather(_padded(x), self.first, batch_dims=1)

    def mirrored(self) -> "WordUnits":
        """Returns the units read from the end of the sentence."""
        assert self.backwards is not None, "units from the end have none themselves"
        return self.backwards

    def means(self, values: tf.Tensor) -> tf.Tensor:
        """Returns, at every token, the mean over its word.

        Sums over words are differences of running sums, which are taken of what is left without
        the sentence's mean: it would grow and take their digits.

        Args:
            values: `[batch, length, width]`, zero at padding.
        """
        count = tf.reduce_sum(self.tokens, axis=1, keepdims=True)
        mean = tf.reduce_sum(values, axis=1, keepdims=True) / tf.maximum(count, 1)
        sums = _padded(tf.cumsum((values - mean) * self.tokens, axis=1))
        # Rows are counted from a zero row in front, and the last token from the end.
        rows = tf.reduce_sum(tf.ones_like(self.first), axis=1, keepdims=True)
        last = rows - 1 - tf.reverse(self.mirrored().first, axis=[1])
        total = tf.gather(sums, last + 1, batch_dims=1) - tf.gather(sums, self.first, batch_dims=1)
        length = tf.cast(tf.expand_dims(last + 1 - self.first, 2), values.dtype)
        return (total / length + mean) * self.tokens


def shifted(x: tf.Tensor, steps: int) -> tf.Tensor:
    """Moves rows to later positions, zeros in."""
    return tf.pad(x, [[0, 0], [steps, 0], [0, 0]])[:, :-steps]


def mirror(x: tf.Tensor) -> tf.Tensor:
    """Reverses the rows."""
    # Together with a forward running sum far faster in LiteRT than its CUMSUM in reverse.
    return tf.reverse(x, axis=[1])


def _padded(x):
    return tf.pad(x, [[0, 0], [1, 0], [0, 0]])


def _units(ids, tokens):
    """Tokens, marks and first positions of words, in one direction."""
    here = tf.cumsum(tf.ones_like(tokens), axis=1)
    goes_on = tf.cast(tf.equal(ids, shifted(ids, 1)), tokens.dtype) * shifted(tokens, 1)
    marks = tokens * (1 - goes_on)
    # The largest position of a mark so far, in steps that double: shapes must follow from those of
    # the input alone, or a runtime cannot size its buffers.
    first = marks * here
    for step in range(_doublings(tokens.shape[1])):
        first = tf.maximum(first, shifted(first, 2**step))
    first = tf.maximum(tf.cast(first[:, :, 0], tf.int32) - 1, 0)
    return tokens, marks, first


def _doublings(length):
    return _DOUBLINGS if length is None else max(length - 1, 0).bit_length()
