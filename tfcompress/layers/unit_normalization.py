"""Vectors of length 1."""

import tensorflow as tf

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import register

# Keras's own layer has 1e-12, the reciprocal of which half precision cannot hold.
_SMALLEST = 1e-7


@register
class UnitNormalization(Layer):
    """Gives vectors the Euclidean length 1.

    A vector whose squared length is below 1e-7 keeps its direction and becomes shorter; zeros stay
    zeros.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[..., width]`.

    Returns:
        `[..., width]`.

    Example:

    >>> float(tfc.layers.UnitNormalization()(np.full((1, 4), 3.0, "float32"))[0, 0])
    0.5
    """

    input_axes = ("...", "features")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        x = tf.cast(inputs, tf.float32)
        squares = tf.reduce_sum(tf.square(x), axis=-1, keepdims=True)
        return tf.cast(x * tf.math.rsqrt(tf.maximum(squares, _SMALLEST)), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
