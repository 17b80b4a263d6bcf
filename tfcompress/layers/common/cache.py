"""The cache of incremental decoding: one row appended a step."""

import tensorflow as tf

from tfcompress.custom_ops.emission import emits, implements

# Marks the function while a bundle is traced: it becomes one operation of this name, which the
# export rewrites to the builtin DYNAMIC_UPDATE_SLICE, a write in place on the device. Other
# conversions would leave the operation as it is, and no runtime has it.
UPDATE_OP = "tfc.UpdateRow"


def _update(cache, row, start):
    index = tf.range(tf.shape(cache)[2])[tf.newaxis, tf.newaxis, :, tf.newaxis]
    return tf.where(index == start[2], row, cache)


_marked_update = tf.function(_update, experimental_implements=implements(UPDATE_OP))


def update_row(cache: tf.Tensor, row: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Returns `cache` with `row` written at `position` of axis 2.

    Args:
        cache: `[batch, num_heads, max_length, head_dim]`.
        row: `[batch, num_heads, 1, head_dim]`.
        position: Integer scalar.
    """
    start = tf.pad(tf.reshape(tf.cast(position, tf.int32), [1]), [[2, 1]])
    updated = (_marked_update if emits(UPDATE_OP) else _update)(cache, row, start)
    updated.set_shape(cache.shape)
    return updated
