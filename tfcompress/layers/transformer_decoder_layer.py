"""The Transformer's decoder layer, whole sequences and step by step."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.layer import mask_for
from tfcompress.layers.common.residual import ResidualLayer
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.state import initial_state


@register
class TransformerDecoderLayer(ResidualLayer):
    """Causal attention, attention over a memory, then feed-forward, each with a residual.

    The sub-layers are passed in. Any may be None; without cross-attention this is the layer of a
    language model.

    Number of parameters: those of the sub-layers, and `2 * width` for each that is there.

    Args:
        self_attention: A causal layer called as `self_attention(x, training=...)` that also has
            `state_spec()`, which declares the state that it decodes with, and
            `step(x, position, cache, padding_mask)`, such as `MultiHeadAttention(causal=True)`; or
            None.
        cross_attention: A layer called as `cross_attention(x, memory=..., padding_mask=...,
            training=...)` that also has `state_spec(over_memory=True)`, `init_cache(memory=...)`
            and `step`; or None.
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
        ValueError: If all sub-layers are None, one is no Keras layer, the self-attention is known
            not to be causal, or `memory` is missing.

    Example:

    >>> layer = tfc.layers.TransformerDecoderLayer(
    ...     self_attention=tfc.layers.MultiHeadAttention(num_heads=2, causal=True),
    ...     cross_attention=tfc.layers.MultiHeadAttention(num_heads=2),
    ...     feed_forward=tfc.layers.FeedForward(64),
    ... )
    >>> x = np.random.rand(2, 5, 16).astype("float32")
    >>> layer(x, memory=x).shape
    TensorShape([2, 5, 16])

    Reference: Vaswani et al., 2017, arXiv:1706.03762.
    """

    sublayer_names = ("self_attention", "cross_attention", "feed_forward")
    sublayer_keywords = {"cross_attention": ("memory", "padding_mask")}

    def __init__(
        self,
        self_attention: keras.layers.Layer | None = None,
        *,
        cross_attention: keras.layers.Layer | None = None,
        feed_forward: keras.layers.Layer | None = None,
        normalize_first: bool = False,
        dropout: float = 0.0,
        epsilon: float = 1e-5,
        **kwargs,
    ):
        if not getattr(self_attention, "causal", True):
            raise ValueError(
                "A decoder's self-attention must be causal. Received: self_attention with "
                "causal=False. Pass causal=True to it."
            )
        sublayers = (self_attention, cross_attention, feed_forward)
        super().__init__(
            sublayers, normalize_first=normalize_first, dropout=dropout, epsilon=epsilon, **kwargs
        )

    def check_call(self, inputs, kwargs):
        super().check_call(inputs, kwargs)
        self._check_memory(kwargs.get("memory"))

    def call(self, inputs, memory=None, memory_padding_mask=None, padding_mask=None, training=None):
        def attend(x):
            masks = mask_for(self.self_attention, padding_mask)
            return self.self_attention(
                self._attention_input(x, training), training=training, **masks
            )

        def attend_memory(x):
            return self.cross_attention(
                x, memory=memory, padding_mask=memory_padding_mask, training=training
            )

        def feed(x):
            return self.feed_forward(
                x, training=training, **mask_for(self.feed_forward, padding_mask)
            )

        x = self._residual("self_attention", inputs, attend, training)
        x = self._residual("cross_attention", x, attend_memory, training)
        return self._residual("feed_forward", x, feed, training)

    def _attention_input(self, x, training: bool | None = False):
        """What the self-attention sees of its input; subclasses transform it."""
        return x

    def _check_memory(self, memory):
        if self.cross_attention is not None and memory is None:
            raise ValueError(
                f"{self.name} attends over a memory. Received: memory=None. Pass the encoder's "
                "output as `memory`, or build the layer with cross_attention=None."
            )

    def state_spec(self) -> dict:
        """Returns what `step` needs of the steps before and of the memory, by sub-layer."""
        specs = {}
        if self.self_attention is not None:
            specs["self_attention"] = self.self_attention.state_spec()
        if self.cross_attention is not None:
            specs["cross_attention"] = self.cross_attention.state_spec(over_memory=True)
        return specs

    def init_cache(self, batch_size: int, max_length: int, memory=None) -> dict:
        """Returns the cache that `step` starts from.

        Args:
            batch_size: Rows of the batch.
            max_length: Tokens that the cache has room for.
            memory: `[batch, memory_length, memory_width]`, where there is cross-attention.

        Returns:
            The caches of the self-attention and the cross-attention, by these names.
        """
        self._check_memory(memory)
        cache = {}
        if self.self_attention is not None:
            cache["self_attention"] = initial_state(self.self_attention, batch_size, max_length)
        if self.cross_attention is not None:
            cache["cross_attention"] = self.cross_attention.init_cache(memory=memory)
        return cache

    def step(self, inputs, position, cache, mask=None, memory_padding_mask=None):
        """Computes one position from the cache of the earlier ones.

        Args:
            inputs: `[batch, width]`.
            position: Integer scalar, the number of earlier positions.
            cache: What `init_cache` or the step before returned.
            mask: The additive mask over the cache, `[1, 1, 1, max_length]`, where the
                caller has it already; computed from `position` otherwise.
            memory_padding_mask: As in `call`.

        Returns:
            A pair: `[batch, width]`, equal to what `call` gives at this position, and the new
            cache.
        """
        cache = dict(cache)

        def attend(x):
            y, cache["self_attention"] = self.self_attention.step(
                self._attention_input(x), position, cache["self_attention"], padding_mask=mask
            )
            return y

        def attend_memory(x):
            memory = cache["cross_attention"]
            y, _ = self.cross_attention.step(x, position, memory, padding_mask=memory_padding_mask)
            return y

        def feed(x):
            return self.feed_forward(x, training=False)

        x = tf.cast(inputs, self.compute_dtype)
        x = self._residual("self_attention", x, attend)
        x = self._residual("cross_attention", x, attend_memory)
        x = self._residual("feed_forward", x, feed)
        return x, cache
