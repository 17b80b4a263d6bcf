"""The Transformer's encoder layer."""

from tensorflow import keras

from tfcompress.custom_ops.encoder_layer import encoder_layer
from tfcompress.custom_ops.maths import activation_code, dense_operands, norm_operands
from tfcompress.custom_ops.names import ENCODER_LAYER
from tfcompress.layers.common.layer import mask_for
from tfcompress.layers.common.plain import fits_operation
from tfcompress.layers.common.residual import ResidualLayer
from tfcompress.layers.common.serialization import register


@register
class TransformerEncoderLayer(ResidualLayer):
    """Attention, then feed-forward, each with a residual connection and a normalization.

    The sub-layers are passed in, so that any attention goes with any feed-forward network. Either
    may be None: a layer of attention only and one of feed-forward only make the two halves that
    can be shared across layers separately.

    Number of parameters: those of the sub-layers, and `2 * width` for each that is there.

    Args:
        attention: A layer called as `attention(x, padding_mask=..., training=...)`, or None.
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
        ValueError: If both sub-layers are None or one is no Keras layer.

    Example:

    >>> layer = tfc.layers.TransformerEncoderLayer(
    ...     attention=tfc.layers.MultiHeadAttention(num_heads=2),
    ...     feed_forward=tfc.layers.FeedForward(64),
    ... )
    >>> layer(np.random.rand(2, 5, 16).astype("float32")).shape
    TensorShape([2, 5, 16])

    Reference: Vaswani et al., 2017, arXiv:1706.03762.
    """

    sublayer_names = ("attention", "feed_forward")
    sublayer_keywords = {"attention": ("padding_mask",)}

    def __init__(
        self,
        attention: keras.layers.Layer | None = None,
        *,
        feed_forward: keras.layers.Layer | None = None,
        normalize_first: bool = False,
        dropout: float = 0.0,
        epsilon: float = 1e-5,
        **kwargs,
    ):
        super().__init__(
            (attention, feed_forward),
            normalize_first=normalize_first,
            dropout=dropout,
            epsilon=epsilon,
            **kwargs,
        )

    def call(self, inputs, padding_mask=None, word_ids=None, training=None):
        if self.computes_with(ENCODER_LAYER) and self._is_plain(inputs, padding_mask):
            return self._call_emitted(inputs)
        words = {} if word_ids is None else {"word_ids": word_ids}

        def attend(x):
            x = self._attention_input(x, training)
            return self.attention(x, padding_mask=padding_mask, training=training, **words)

        def feed(x):
            return self.feed_forward(
                x, training=training, **mask_for(self.feed_forward, padding_mask)
            )

        x = self._residual("attention", inputs, attend, training)
        return self._residual("feed_forward", x, feed, training)

    def _attention_input(self, x, training: bool | None = False):
        """What the attention sees of its input; subclasses transform it."""
        return x

    def _is_plain(self, inputs, padding_mask):
        """Whether a call has the parts that the custom operation has, and no others."""
        return (
            inputs.shape[0] == 1
            and padding_mask is None
            and fits_operation(self, TransformerEncoderLayer)
            and not self.attention.causal
        )

    def _call_emitted(self, inputs):
        """`call` as one custom operation."""
        attention, feed = self.attention, self.feed_forward
        denses = [attention.query, attention.key, attention.value, attention.output_projection]
        denses += [feed.inner, feed.outer]
        norms = [self.attention_normalization, self.feed_forward_normalization]
        activation = activation_code(feed.activation)
        assert activation is not None  # `fits_operation` sees to that.
        return encoder_layer(
            inputs,
            [operand for dense in denses for operand in dense_operands(dense)],
            [operand for norm in norms for operand in norm_operands(norm)],
            num_heads=attention.num_heads,
            activation=activation,
            normalize_first=self.normalize_first,
            epsilon=self.epsilon,
        )
