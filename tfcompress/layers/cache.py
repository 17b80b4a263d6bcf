"""The cache of incremental decoding: one row appended a step."""

import tensorflow as tf

# Marks the function for conversion: it becomes one operation of this name, which the export
# rewrites to the builtin DYNAMIC_UPDATE_SLICE, a write in place on the device.
UPDATE_OP = "tfc.UpdateRow"
_IMPLEMENTS = f'name: "{UPDATE_OP}" attr {{ key: "tfl_fusable_op" value {{ b: true }} }}'


@tf.function(experimental_implements=_IMPLEMENTS)
def _update(cache, row, start):
    index = tf.range(tf.shape(cache)[2])[tf.newaxis, tf.newaxis, :, tf.newaxis]
    return tf.where(index == start[2], row, cache)


def update_row(cache: tf.Tensor, row: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Returns `cache` with `row` written at `position` of axis 2.

    Args:
        cache: `[batch, num_heads, max_length, head_dim]`.
        row: `[batch, num_heads, 1, head_dim]`.
        position: Integer scalar.
    """
    start = tf.pad(tf.reshape(tf.cast(position, tf.int32), [1]), [[2, 1]])
    updated = _update(cache, row, start)
    updated.set_shape(cache.shape)
    return updated
