"""Positions of decoding steps."""

import tensorflow as tf


def per_row(position: tf.Tensor | int) -> tf.Tensor:
    """Returns the position of a step as int32 `[1]`, or those of its rows `[batch]`.

    Args:
        position: Integer scalar or vector.
    """
    position = tf.cast(position, tf.int32)
    return position if position.shape.rank == 1 else tf.reshape(position, [1])
