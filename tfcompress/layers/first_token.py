"""The state of the first token."""

import tensorflow as tf

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.masks import token_mask
from tfcompress.layers.common.serialization import register


@register
class FirstToken(Layer):
    """Keeps the first token of a sequence, which encoders of the BERT family are read from.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: What `PaddingMask` gives, or boolean `[batch, length]`, true at tokens, where
            padding may stand before them; the first position counts without.

    Returns:
        `[batch, width]`.

    Example:

    >>> tfc.layers.FirstToken()(np.zeros((2, 5, 8), "float32")).shape
    TensorShape([2, 8])
    """

    input_axes = ("batch", "length", "features")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, padding_mask=None):
        if padding_mask is None:
            return inputs[:, 0]
        first = tf.argmax(token_mask(padding_mask, tf.float32)[:, :, 0], axis=1)
        return tf.gather(inputs, first, batch_dims=1)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *input_shape[2:])
