"""The mean of the tokens."""

import tensorflow as tf

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.masks import token_mask
from tfcompress.layers.common.serialization import register


@register
class MeanPooling(Layer):
    """Averages the positions of a sequence that are no padding.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: What `PaddingMask` gives, or boolean `[batch, length]`, true at tokens; all
            positions count without.

    Returns:
        `[batch, width]`. Of padding alone, zeros.

    Example:

    >>> tfc.layers.MeanPooling()(np.ones((2, 5, 8), "float32")).shape
    TensorShape([2, 8])

    Reference: Reimers and Gurevych, 2019, arXiv:1908.10084.
    """

    input_axes = ("batch", "length", "features")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, padding_mask=None):
        # Sums of many half-precision numbers would lose digits.
        x = tf.cast(inputs, tf.float32)
        if padding_mask is None:
            return tf.cast(tf.reduce_mean(x, axis=1), self.compute_dtype)
        tokens = token_mask(padding_mask, tf.float32)
        count = tf.maximum(tf.reduce_sum(tokens, axis=1), 1.0)
        return tf.cast(tf.reduce_sum(x * tokens, axis=1) / count, self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *input_shape[2:])
