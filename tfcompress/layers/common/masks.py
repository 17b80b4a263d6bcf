"""Additive attention masks.

Masks are added to attention scores: 0 where a position may be attended to and `MASKED` where
not. The value lies inside float16, as does the sum of two masks, so that half precision can never
turn a masked row into NaN.
"""

import tensorflow as tf

from tfcompress.constants import MASKED
from tfcompress.layers.common.layer import Layer, check_padding_mask
from tfcompress.layers.common.serialization import register


def additive_padding_mask(mask: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Turns a padding mask of either accepted form into an additive one.

    Args:
        mask: Boolean or integer `[batch, length]`, true at tokens and false at padding; or
            already additive, floating point, `[batch, 1, 1, length]`.
        dtype: Floating-point type of the result.

    Returns:
        `[batch, 1, 1, length]`, 0 at tokens and `MASKED` at padding.

    Raises:
        ValueError: If a mask of another rank or type is given.
    """
    mask = tf.convert_to_tensor(mask)
    check_padding_mask(mask)
    if mask.dtype.is_floating:
        return tf.cast(mask, dtype)
    padding = tf.cast(tf.logical_not(tf.cast(mask, tf.bool)), dtype)
    # Two steps: one slice with two new axes does not convert.
    return tf.expand_dims(tf.expand_dims(padding * MASKED, 1), 1)


def token_mask(mask: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Returns `[batch, length, 1]`, 1 at tokens and 0 at padding, from either form of mask.

    Args:
        mask: As for `additive_padding_mask`.
        dtype: Floating-point type of the result.
    """
    tokens = tf.cast(additive_padding_mask(mask, dtype) > MASKED / 2, dtype)
    # Transposed: one slice that drops two axes and adds one does not convert.
    return tf.transpose(tokens[:, 0], [0, 2, 1])


def causal_mask(length: tf.Tensor | int, dtype: tf.DType) -> tf.Tensor:
    """Returns `[1, 1, length, length]` that hides every later position."""
    rows = tf.range(length)
    later = rows[tf.newaxis, :] > rows[:, tf.newaxis]
    # Converted to operations that the native runtime knows, unlike new axes of a slice.
    return tf.expand_dims(tf.expand_dims(tf.cast(later, dtype) * MASKED, 0), 0)


def step_mask(position: tf.Tensor, max_length: int | tf.Tensor) -> tf.Tensor:
    """Returns the additive mask of one decoding step over a cache of `max_length` rows.

    Args:
        position: Integer scalar, the number of tokens decoded before this one.
        max_length: Rows the cache has room for.

    Returns:
        `[1, 1, 1, max_length]`, open up to and including `position`.
    """
    later = tf.cast(tf.range(max_length) > position, tf.float32)
    return (later * MASKED)[tf.newaxis, tf.newaxis, tf.newaxis, :]


@register
class PaddingMask(Layer):
    """Computes the additive padding mask of a batch of token ids, once for all layers.

    Args:
        pad_id: The id that marks padding.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Integer token ids `[batch, length]`.

    Returns:
        `[batch, 1, 1, length]`, 0 at tokens and -3e4 at padding.

    Example:

    >>> mask = tfc.layers.PaddingMask()(np.array([[5, 7, 0]]))
    >>> mask.shape
    TensorShape([1, 1, 1, 3])
    """

    input_axes = ("batch", "length")

    def __init__(self, pad_id: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.pad_id = pad_id

    def call(self, inputs):
        return additive_padding_mask(
            tf.not_equal(inputs, self.pad_id), tf.as_dtype(self.compute_dtype)
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1, 1, input_shape[1])

    def get_config(self):
        return {**super().get_config(), "pad_id": self.pad_id}
