"""Shape helpers shared by the layers."""

import tensorflow as tf


def known_or_dynamic_shape(x: tf.Tensor, *, rank: int | None = None) -> list:
    """Returns the leading dimensions of `x` in a form that converts to clean LiteRT graphs.

    A reshape with at most one unknown dimension needs no shape arithmetic in the graph: the
    unknown dimension is given as -1. Only where two or more are unknown are they read from the
    tensor at run time.

    Args:
        x: A tensor of known rank.
        rank: How many leading dimensions to return; all by default.

    Returns:
        A list of Python integers, -1, and (only if needed) scalar tensors.
    """
    static = x.shape.as_list()[:rank]
    if static.count(None) <= 1:
        return [-1 if size is None else size for size in static]
    dynamic = tf.shape(x)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(static)]


def split_heads(x: tf.Tensor, num_heads: int, head_dim: int) -> tf.Tensor:
    """`[batch, length, num_heads * head_dim]` -> `[batch, num_heads, length, head_dim]`."""
    x = tf.reshape(x, [*known_or_dynamic_shape(x, rank=2), num_heads, head_dim])
    return tf.transpose(x, [0, 2, 1, 3])


def merge_heads(x: tf.Tensor, width: int) -> tf.Tensor:
    """`[batch, num_heads, length, head_dim]` -> `[batch, length, width]`."""
    x = tf.transpose(x, [0, 2, 1, 3])
    return tf.reshape(x, [*known_or_dynamic_shape(x, rank=2), width])


def scale_queries(queries: tf.Tensor, head_dim: int) -> tf.Tensor:
    """Divides `[batch, num_heads, length, head_dim]` by the square root of `head_dim`.

    The factor has rank 4: the converter would fold a scalar or a vector into the kernel of the
    dense layer before, and so move weights off the grid that they were trained on.
    """
    return queries * tf.fill([1, 1, 1, head_dim], tf.constant(head_dim**-0.5, queries.dtype))
