"""All fixed attention patterns of a layer."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.names import FIXED_PATTERNS


def fixed_patterns(
    values: tf.Tensor, body: Callable[[tf.Tensor], tf.Tensor], patterns: Sequence[int], edges: int
) -> tf.Tensor:
    """Averages values with the weights of fixed patterns.

    Args:
        values: `[batch, length, len(patterns) * head_dim]`.
        body: The same, in TensorFlow.
        patterns: Number of each head's pattern in `PATTERNS`.
        edges: Number of the behaviour at the edges in `EDGES`.

    Returns:
        Of the same shape.
    """
    return emit(FIXED_PATTERNS, body, [values], [edges, *patterns])
