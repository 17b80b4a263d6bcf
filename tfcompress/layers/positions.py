"""Positions, added to the embeddings."""

import math

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.embedding_lookup import embedding_lookup
from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.masks import token_mask
from tfcompress.layers.common.per_row import per_row
from tfcompress.layers.common.serialization import register

SINUSOIDS = ("tensor2tensor", "paper")


class _Position(Layer):
    """Adds a vector that depends on the position only; subclasses say which.

    With a padding mask, positions are counted from the first token.
    """

    input_axes = ("batch", "length", "width")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, padding_mask=None):
        if padding_mask is None:
            rows = self._rows(tf.range(tf.shape(inputs)[1]), inputs.shape[-1])
            return inputs + tf.cast(rows, inputs.dtype)[tf.newaxis]
        tokens = token_mask(padding_mask, tf.float32)[:, :, 0]
        # Padding before the tokens is as the first, padding after them as the last.
        positions = tf.cast(tf.maximum(tf.cumsum(tokens, axis=1) - 1, 0), tf.int32)
        rows = self._rows(tf.reshape(positions, [-1]), inputs.shape[-1])
        return inputs + tf.reshape(tf.cast(rows, inputs.dtype), tf.shape(inputs))

    def step(self, inputs, position):
        """Adds the vector of one position.

        Args:
            inputs: `[batch, width]`.
            position: Integer scalar, or `[batch]` for rows at different positions.

        Returns:
            `[batch, width]`, equal to what `call` gives at this position.
        """
        inputs = tf.cast(inputs, self.compute_dtype)
        rows = self._rows(per_row(position), inputs.shape[-1])
        return inputs + tf.cast(rows, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


@register
class SinusoidalPosition(_Position):
    """Adds sinusoids: the first half of the width holds sines, the second half cosines.

    Wavelengths run geometrically from `2*pi` to `2*pi*10000`. No parameters, any length. The
    sinusoids are computed in the graph, so an exported model stores no table of them.

    Args:
        formula: "tensor2tensor", by which the longest wavelength is `2*pi*10000`, as Marian and
            fairseq have it; or "paper", by which it is one step shorter, as in Hugging Face's
            MarianMT.
        first_position: The number of the first position; 2 in M2M100.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`, of even width.
        padding_mask: Which positions are tokens, as in `MultiHeadAttention`. The first token has
            `first_position`; without, the first position.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: If `formula` is unknown, `first_position` negative, or the width odd or below 4.

    Example:

    >>> tfc.layers.SinusoidalPosition()(np.zeros((1, 5, 8), "float32")).shape
    TensorShape([1, 5, 8])

    Reference: Vaswani et al., 2017, arXiv:1706.03762; halves instead of the paper's interleaved
    columns, as the published implementations do (a fixed permutation of the width).
    """

    def __init__(self, formula: str = "tensor2tensor", *, first_position: int = 0, **kwargs):
        super().__init__(**kwargs)
        if formula not in SINUSOIDS:
            raise ValueError(
                f"`formula` must be one of {', '.join(SINUSOIDS)}. Received: formula={formula!r}."
            )
        if first_position < 0:
            raise ValueError(
                f"`first_position` must be at least 0. Received: first_position={first_position}."
            )
        self.formula = formula
        self.first_position = first_position

    def build(self, input_shape):
        width = input_shape[-1]
        if width % 2 or width < 4:
            raise ValueError(
                f"SinusoidalPosition needs an even width of at least 4. Received: width={width}."
            )
        super().build(input_shape)

    def _rows(self, positions, width):
        half = width // 2
        steps = half - 1 if self.formula == "tensor2tensor" else half
        frequencies = [math.exp(-math.log(10000.0) / steps * i) for i in range(half)]
        if self.first_position:
            positions = positions + self.first_position
        angles = tf.cast(positions, tf.float32)[:, tf.newaxis] * tf.constant(frequencies)
        return tf.concat([tf.sin(angles), tf.cos(angles)], axis=1)

    def get_config(self):
        own = {"formula": self.formula, "first_position": self.first_position}
        return {**super().get_config(), **own}


@register
class LearnedPosition(_Position):
    """Adds a learned vector for each position.

    Number of parameters: `max_length * width`.

    Args:
        max_length: Number of positions.
        embeddings_initializer: Initializer of the table.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`, of at most `max_length` positions.
        padding_mask: Which positions are tokens, as in `MultiHeadAttention`. The first token has
            position 0; without, the first position.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: If `max_length` is below 1 or the input is known to be longer.

    Example:

    >>> tfc.layers.LearnedPosition(16)(np.zeros((1, 5, 8), "float32")).shape
    TensorShape([1, 5, 8])
    """

    weight_channels = {"embeddings": (0,)}

    def __init__(self, max_length: int, *, embeddings_initializer="random_normal", **kwargs):
        super().__init__(**kwargs)
        if max_length < 1:
            raise ValueError(f"`max_length` must be at least 1. Received: max_length={max_length}.")
        self.max_length = max_length
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.max_length, input_shape[-1]),
            initializer=self.embeddings_initializer,
        )
        super().build(input_shape)

    def check_call(self, inputs, kwargs):
        super().check_call(inputs, kwargs)
        length = self._shape(inputs)[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"The input has more positions than the table. Received: length={length}, "
                f"max_length={self.max_length}. Shorten the input or raise `max_length`."
            )

    def _rows(self, positions, width):
        return embedding_lookup(self, self.embeddings, positions)

    def get_config(self):
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
        }
