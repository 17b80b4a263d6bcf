"""Zeros in place of a start token's vector."""

import tensorflow as tf

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.masks import token_mask
from tfcompress.layers.common.per_row import per_row
from tfcompress.layers.common.serialization import register


@register
class ZeroStart(Layer):
    """Sets the first position to zeros, as Marian's decoders begin, whatever its token is.

    Stands between a decoder's embedding and its positions. No weights.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: Which positions are tokens, as in `MultiHeadAttention`; the first token is
            zeroed.

    Returns:
        A tensor of the same shape.

    Example:

    >>> tfc.layers.ZeroStart()(np.ones((1, 3, 1), "float32"))[0, :, 0].numpy()
    array([0., 1., 1.], dtype=float32)
    """

    input_axes = ("batch", "length", "width")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, padding_mask=None):
        x = tf.cast(inputs, self.compute_dtype)
        tokens = tf.ones_like(x[:, :, :1])
        if padding_mask is not None:
            tokens = token_mask(padding_mask, x.dtype)
        return x * tf.cast(tf.cumsum(tokens, axis=1) > 1, x.dtype)

    def step(self, inputs: tf.Tensor, position: tf.Tensor | int) -> tf.Tensor:
        """Computes one position.

        Args:
            inputs: `[batch, width]`.
            position: Integer scalar, or `[batch]` for rows at different positions.

        Returns:
            `[batch, width]`, equal to what `call` gives at this position.
        """
        x = tf.cast(inputs, self.compute_dtype)
        return x * tf.cast(per_row(position)[:, tf.newaxis] > 0, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
