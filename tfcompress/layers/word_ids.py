"""Which word each token belongs to."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import register

# Signs stay out of it: LiteRT has no shift of unsigned integers.
_BITS = 16


@register
class WordIds(Layer):
    """Numbers the words of a sentence: every token gets the number of its word.

    Which tokens begin a word is kept in `ceil(vocabulary_size / 16)` integers that training leaves
    alone. Until `set_word_starts` is called, every token is a word.

    Args:
        vocabulary_size: Number of token ids.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Integer ids `[batch, length]`.

    Returns:
        int32 `[batch, length]`, from 0 upwards without gaps; at padding, anything from 0 to
        `length - 1`.

    Raises:
        ValueError: If `vocabulary_size` is below 1.

    Example:

    >>> layer = tfc.layers.WordIds(6)
    >>> layer.set_word_starts([True, True, True, True, False, False])
    >>> layer(np.array([[3, 4, 5, 3, 2]])).numpy()
    array([[0, 0, 0, 1, 2]], dtype=int32)
    """

    input_axes = ("batch", "length")

    def __init__(self, vocabulary_size: int, **kwargs):
        super().__init__(autocast=False, **kwargs)
        if vocabulary_size < 1:
            raise ValueError(f"`vocabulary_size` must be at least 1. Received: {vocabulary_size=}.")
        self.vocabulary_size = vocabulary_size

    def build(self, input_shape):
        self._ensure_table()
        super().build(input_shape)

    def _ensure_table(self):
        if not hasattr(self, "word_starts"):
            self.word_starts = self.add_weight(
                name="word_starts",
                shape=(-(-self.vocabulary_size // _BITS),),
                dtype="int32",
                initializer=keras.initializers.Constant(2**_BITS - 1),
                trainable=False,
            )

    def set_word_starts(self, starts: Sequence[bool]) -> None:
        """Says which tokens begin a word.

        Args:
            starts: One truth value for each id, such as `Tokenizer.word_starts`.

        Raises:
            ValueError: If there are more or fewer values than ids.
        """
        values = np.asarray(starts, bool)
        if values.shape != (self.vocabulary_size,):
            raise ValueError(
                "`starts` must have one value for each token id. Received: "
                f"shape={values.shape} for {self.vocabulary_size} ids. Use the tokenizer that the "
                "model was made for."
            )
        self._ensure_table()
        bits = np.pad(values, (0, -len(values) % _BITS)).reshape(-1, _BITS)
        self.word_starts.assign((bits * (1 << np.arange(_BITS))).sum(axis=1).astype("int32"))

    def call(self, inputs):
        ids = tf.cast(inputs, tf.int32)
        group = tf.gather(tf.convert_to_tensor(self.word_starts), ids // _BITS)
        power = tf.gather(tf.constant([1 << i for i in range(_BITS)], tf.int32), ids % _BITS)
        starts = (group // power) % 2
        return tf.maximum(tf.cumsum(starts, axis=1) - 1, 0)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def compute_output_spec(self, inputs, **kwargs):
        # What Keras 3 asks for in symbolic calls.
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self):
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size}
