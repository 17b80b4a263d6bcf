"""A grouped linear layer with its shuffle, normalization and activation."""

import tensorflow as tf

from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import activate, float_bits, normalize
from tfcompress.custom_ops.names import GROUP_LINEAR


def group_linear(
    x: tf.Tensor,
    weight: tf.Tensor,
    bias: tf.Tensor,
    gamma: tf.Tensor | None,
    beta: tf.Tensor | None,
    *,
    shuffle: bool,
    activation: int,
    epsilon: float,
) -> tf.Tensor:
    """Applies a grouped linear layer.

    Args:
        x: `[count, inputs]`.
        weight: `[groups, outputs / groups, inputs / groups]`.
        bias: `[outputs]`.
        gamma: `[outputs / groups]`; None does not normalize.
        beta: The same.
        shuffle: Whether the groups' outputs are interleaved.
        activation: Number of the activation.
        epsilon: The normalization's.

    Returns:
        `[count, outputs]`.
    """
    groups, units, inputs = weight.shape
    is_normalized = gamma is not None

    def body(x, weight, bias, gamma, beta):
        y = tf.reshape(x, [-1, groups, inputs])
        y = tf.matmul(tf.transpose(y, [1, 0, 2]), weight, transpose_b=True)
        y += tf.reshape(bias, [groups, 1, units])
        y = tf.transpose(y, [1, 2, 0] if shuffle else [1, 0, 2])
        y = tf.reshape(y, [-1, groups, units])
        if is_normalized:
            y = normalize(y, gamma, beta, epsilon)
        return tf.reshape(activate(y, activation), [-1, groups * units])

    config = [groups, int(shuffle), int(is_normalized), activation, float_bits(epsilon)]
    if not is_normalized:
        gamma, beta = tf.ones([units]), tf.zeros([units])
    return emit(GROUP_LINEAR, body, [x, weight, bias, gamma, beta], config)
