"""DeLighT's decoder layer."""

from tensorflow import keras

from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.transformed_attention import TransformedAttention
from tfcompress.layers.transformer_decoder_layer import TransformerDecoderLayer


@register
class DeLighTDecoderLayer(TransformedAttention, TransformerDecoderLayer):
    """A Transformer's decoder layer whose self-attention sees a transform of the input.

    DeLighT's own, at width `d`: the transform `DExTraBlock(d // 2, num_layers)`, the self-attention
    `MultiHeadAttention(1, causal=True, output_dim=d)` of one head as wide as the transform's
    output, the cross-attention `MultiHeadAttention(1, head_dim=d // 2)`, and
    `FeedForward(d // 4, activation="swish")`. It decodes step by step as the Transformer's does.

    Number of parameters: those of the sub-layers, and `2 * width` for self-attention,
    cross-attention and feed-forward each.

    Args:
        transform: A layer called as `transform(x, training=...)` on every position alone.
        self_attention: A causal layer called as `self_attention(x, training=...)` on what the
            transform gives, and giving back the width of the layer's input; with `state_spec` and
            `step` as in `TransformerDecoderLayer`.
        cross_attention: A layer called as `cross_attention(x, memory=..., padding_mask=...,
            training=...)`, with what `TransformerDecoderLayer` asks of it; or None.
        feed_forward: A layer called as `feed_forward(x, training=...)`, or None.
        normalize_first: Whether normalization stands before each sub-layer (pre-norm) rather than
            after the addition (post-norm, the original order).
        dropout: Dropout rate on the output of each sub-layer.
        epsilon: Epsilon of the normalizations.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        memory: `[batch, memory_length, memory_width]`, the encoder's output.
        memory_padding_mask: Which positions of the memory are tokens, boolean or integer
            `[batch, memory_length]`, or additive `[batch, 1, 1, memory_length]`.
        padding_mask: Which positions of the input are tokens, in the same forms. Only padding
            before the tokens needs it, as no token sees what follows it.
        training: Whether dropout is active.

    Returns:
        `[batch, length, width]`.

    Raises:
        ValueError: If a sub-layer is no Keras layer, the self-attention is known not to be causal
            or gives another width, or `memory` is missing.

    Example:

    >>> layer = tfc.layers.DeLighTDecoderLayer(
    ...     transform=tfc.layers.DExTraBlock(32, num_layers=4),
    ...     self_attention=tfc.layers.MultiHeadAttention(1, causal=True, output_dim=64),
    ...     cross_attention=tfc.layers.MultiHeadAttention(1, head_dim=32),
    ...     feed_forward=tfc.layers.FeedForward(16, activation="swish"),
    ... )
    >>> x = np.random.rand(2, 5, 64).astype("float32")
    >>> layer(x, memory=x).shape
    TensorShape([2, 5, 64])

    Reference: Mehta et al., 2021, arXiv:2008.00623.
    """

    def __init__(
        self,
        transform: keras.layers.Layer,
        *,
        self_attention: keras.layers.Layer,
        cross_attention: keras.layers.Layer | None = None,
        feed_forward: keras.layers.Layer | None = None,
        normalize_first: bool = False,
        dropout: float = 0.0,
        epsilon: float = 1e-5,
        **kwargs,
    ):
        super().__init__(
            self_attention,
            cross_attention=cross_attention,
            feed_forward=feed_forward,
            normalize_first=normalize_first,
            dropout=dropout,
            epsilon=epsilon,
            **kwargs,
        )
        self._set_transform(transform)
