"""One position through a whole Transformer decoder layer."""

from collections.abc import Sequence

import tensorflow as tf

from tfcompress.custom_ops.attention import attend_cache, attend_memory
from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import activate, float_bits, linear, normalize
from tfcompress.custom_ops.names import DECODER_LAYER


def decoder_layer(
    x: tf.Tensor,
    position: tf.Tensor,
    cache: Sequence[tf.Tensor],
    weights: Sequence[tf.Tensor],
    norms: Sequence[tf.Tensor],
    *,
    activation: int,
    normalize_first: bool,
    epsilon: float,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Decodes one position.

    Args:
        x: `[batch, width]`.
        position: int32 `[1]`.
        cache: `keys` and `values` `[batch, num_heads, max_length, head_dim]`, `memory_keys` and
            `memory_values` `[1, num_heads, memory_length, head_dim]`.
        weights: Weight and bias of the self-attention's query, key, value and output, the
            cross-attention's query and output, and the feed-forward's inner and outer layer.
        norms: Gamma and beta of the three normalizations.
        activation: Number of the feed-forward's activation.
        normalize_first: Whether normalization stands before each sub-layer.
        epsilon: The normalizations'.

    Returns:
        `[batch, width]`, and the new keys and values.
    """

    def body(x, position, keys, values, memory_keys, memory_values, *operands):
        pairs = list(zip(operands[::2], operands[1::2]))
        query, key, value, output, cross_query, cross_output, inner, outer = pairs[:8]

        def residual(x, norm, function):
            y = x + function(normalize(x, *norm, epsilon) if normalize_first else x)
            return y if normalize_first else normalize(y, *norm, epsilon)

        def attend_self(x):
            nonlocal keys, values
            rows = [linear(x, *weight) for weight in (query, key, value)]
            context, keys, values = attend_cache(*rows, keys, values, position)
            return linear(context, *output)

        def attend_other(x):
            context = attend_memory(linear(x, *cross_query), memory_keys, memory_values)
            return linear(context, *cross_output)

        def feed(x):
            return linear(activate(linear(x, *inner), activation), *outer)

        for norm, function in zip(pairs[8:], (attend_self, attend_other, feed)):
            x = residual(x, norm, function)
        return x, keys, values

    heads = [cache[0].shape[1], cache[2].shape[1]]
    config = [*heads, activation, int(normalize_first), float_bits(epsilon)]
    return emit(DECODER_LAYER, body, [x, position, *cache, *weights, *norms], config)
