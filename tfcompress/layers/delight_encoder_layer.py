"""DeLighT's encoder layer."""

from tensorflow import keras

from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.transformed_attention import TransformedAttention
from tfcompress.layers.transformer_encoder_layer import TransformerEncoderLayer


@register
class DeLighTEncoderLayer(TransformedAttention, TransformerEncoderLayer):
    """A Transformer's encoder layer whose attention sees a transform of the input.

    DeLighT's own, at width `d`: the transform `DExTraBlock(d // 2, num_layers)`, the attention
    `MultiHeadAttention(1, output_dim=d)` of one head as wide as the transform's output, and
    `FeedForward(d // 4, activation="swish")`.

    Number of parameters: those of the sub-layers, and `2 * width` for attention and feed-forward
    each.

    Args:
        transform: A layer called as `transform(x, training=...)` on every position alone.
        attention: A layer called as `attention(x, padding_mask=..., training=...)` on what the
            transform gives, and giving back the width of the layer's input.
        feed_forward: A layer called as `feed_forward(x, training=...)`, or None.
        normalize_first: Whether normalization stands before each sub-layer (pre-norm) rather than
            after the addition (post-norm, the original order).
        dropout: Dropout rate on the output of each sub-layer.
        epsilon: Epsilon of the normalizations.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: Which positions are tokens, boolean or integer `[batch, length]`, or
            additive `[batch, 1, 1, length]`.
        training: Whether dropout is active.

    Returns:
        `[batch, length, width]`.

    Raises:
        ValueError: If a sub-layer is no Keras layer or the attention gives another width.

    Example:

    >>> layer = tfc.layers.DeLighTEncoderLayer(
    ...     transform=tfc.layers.DExTraBlock(32, num_layers=4),
    ...     attention=tfc.layers.MultiHeadAttention(num_heads=1, output_dim=64),
    ...     feed_forward=tfc.layers.FeedForward(16, activation="swish"),
    ... )
    >>> layer(np.random.rand(2, 5, 64).astype("float32")).shape
    TensorShape([2, 5, 64])

    Reference: Mehta et al., 2021, arXiv:2008.00623.
    """

    def __init__(
        self,
        transform: keras.layers.Layer,
        *,
        attention: keras.layers.Layer,
        feed_forward: keras.layers.Layer | None = None,
        normalize_first: bool = False,
        dropout: float = 0.0,
        epsilon: float = 1e-5,
        **kwargs,
    ):
        super().__init__(
            attention,
            feed_forward=feed_forward,
            normalize_first=normalize_first,
            dropout=dropout,
            epsilon=epsilon,
            **kwargs,
        )
        self._set_transform(transform)
