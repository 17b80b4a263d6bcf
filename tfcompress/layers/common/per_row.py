"""Positions of decoding steps."""

from typing import Any

import tensorflow as tf


def per_row(position: tf.Tensor | int) -> tf.Tensor:
    """Returns the position of a step as int32 `[1]`, or those of its rows `[batch]`.

    Args:
        position: Integer scalar or vector.
    """
    positions: Any = tf.cast(position, tf.int32)
    return positions if positions.shape.rank == 1 else tf.reshape(positions, [1])
