"""A sentence through a whole Transformer encoder layer."""

from collections.abc import Sequence

import tensorflow as tf

from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import activate, attend, float_bits, linear, normalize
from tfcompress.custom_ops.names import ENCODER_LAYER


def encoder_layer(
    x: tf.Tensor,
    weights: Sequence[tf.Tensor],
    norms: Sequence[tf.Tensor],
    *,
    num_heads: int,
    activation: int,
    normalize_first: bool,
    epsilon: float,
) -> tf.Tensor:
    """Encodes a sentence without padding.

    Args:
        x: `[1, length, width]`.
        weights: Weight and bias of the attention's query, key, value and output, and the
            feed-forward's inner and outer layer.
        norms: Gamma and beta of the two normalizations.
        num_heads: Number of attention heads.
        activation: Number of the feed-forward's activation.
        normalize_first: Whether normalization stands before each sub-layer.
        epsilon: The normalizations'.

    Returns:
        `[1, length, width]`.
    """

    def body(x, *operands):
        query, key, value, output, inner, outer, *norm = zip(operands[::2], operands[1::2])

        def heads(x):
            x = tf.reshape(x, [1, tf.shape(x)[1], num_heads, x.shape[-1] // num_heads])
            return tf.transpose(x, [0, 2, 1, 3])

        def attend_self(x):
            context = attend(*(heads(linear(x, *weight)) for weight in (query, key, value)))
            context = tf.transpose(context, [0, 2, 1, 3])
            width = query[0].shape[0]
            return linear(tf.reshape(context, [1, tf.shape(x)[1], width]), *output)

        def feed(x):
            return linear(activate(linear(x, *inner), activation), *outer)

        for (gamma, beta), function in zip(norm, (attend_self, feed)):
            y = x + function(normalize(x, gamma, beta, epsilon) if normalize_first else x)
            x = y if normalize_first else normalize(y, gamma, beta, epsilon)
        return x

    config = [num_heads, activation, int(normalize_first), float_bits(epsilon)]
    return emit(ENCODER_LAYER, body, [x, *weights, *norms], config)
