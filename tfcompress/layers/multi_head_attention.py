"""Multi-head attention with an explicit cache."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.custom_ops.attention import cached_attention, memory_attention
from tfcompress.custom_ops.names import CACHED_ATTENTION, MEMORY_ATTENTION
from tfcompress.decoder_state import SENTENCE, StateSpec
from tfcompress.layers.common.masks import additive_padding_mask, causal_mask, step_mask
from tfcompress.layers.common.recording import Recording
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import merge_heads, scale_queries, split_heads
from tfcompress.layers.common.state import IncrementalLayer
from tfcompress.layers.dense import sub_dense
from tfcompress.layers.dropout import Dropout


@register
class MultiHeadAttention(Recording, IncrementalLayer):
    """Scaled dot-product attention with several heads, over the input itself or over a memory.

    Number of parameters, with `n = num_heads * head_dim`, input width `d` and memory width `m`
    (`m = d` for self-attention) and output width `o`: `d*n + 2*m*n + n*o`, `3*n + o` more with
    biases and `num_heads` more (not trained) with gates.

    Args:
        num_heads: Number of heads.
        head_dim: Width of a head. The input width divided by `num_heads` by default.
        causal: Whether a position sees only itself and earlier ones.
        dropout: Dropout rate on the attention probabilities.
        use_bias: Whether the four projections have biases.
        memory_dim: Width of the memory, where it differs from the width of the input.
        output_dim: Width of the output, where it differs from the width of the input.
        gated: Whether what each head gives is multiplied by a weight of `gates`, which no optimizer
            trains: 1 at first, 0 masks the head (Michel et al., 2019, arXiv:1905.10650).
        kernel_initializer: Initializer of the four kernels.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`, the queries; also keys and values without `memory`.
        memory: `[batch, memory_length, memory_width]`, keys and values of cross-attention.
        padding_mask: Which keys are tokens, boolean or integer `[batch, key_length]`, or additive
            `[batch, 1, 1, key_length]` as `PaddingMask` gives it.
        training: Whether dropout is active.

    Returns:
        `[batch, length, output_dim]`.

    `with layer.recording() as contexts:` keeps what the heads give in every call meanwhile, before
    the output projection: `[batch, num_heads, length, head_dim]`; `recording("probabilities")`
    what they attend to, before dropout: `[batch, num_heads, length, key_length]`.

    Raises:
        ValueError: If a size or rate is impossible, the input width is not divisible by
            `num_heads` while `head_dim` is not given, or a memory is given to causal attention or
            has another width than `memory_dim`.

    Example:

    >>> layer = tfc.layers.MultiHeadAttention(num_heads=4)
    >>> layer(np.random.rand(2, 7, 32).astype("float32")).shape
    TensorShape([2, 7, 32])

    Reference: Vaswani et al., 2017, arXiv:1706.03762.
    """

    input_axes = ("batch", "length", "width")
    recorded_values = ("contexts", "probabilities")

    def __init__(
        self,
        num_heads: int,
        *,
        head_dim: int | None = None,
        causal: bool = False,
        dropout: float = 0.0,
        use_bias: bool = True,
        memory_dim: int | None = None,
        output_dim: int | None = None,
        gated: bool = False,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_heads < 1:
            raise ValueError(f"`num_heads` must be at least 1. Received: num_heads={num_heads}.")
        widths = {"head_dim": head_dim, "memory_dim": memory_dim, "output_dim": output_dim}
        for name, value in widths.items():
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.causal = causal
        self.dropout = dropout
        self.use_bias = use_bias
        self.memory_dim = memory_dim
        self.output_dim = output_dim
        self.gated = gated
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        if self.head_dim is None and width % self.num_heads:
            raise ValueError(
                f"The input width must be divisible by `num_heads`. Received: width={width}, "
                f"num_heads={self.num_heads}. Pass `head_dim` to choose the width of a head."
            )
        self._head_dim = self.head_dim or width // self.num_heads
        inner = self.num_heads * self._head_dim
        self._memory_dim = self.memory_dim or width
        self.query = sub_dense(self, "query", inner, width)
        self.key = sub_dense(self, "key", inner, self._memory_dim)
        self.value = sub_dense(self, "value", inner, self._memory_dim)
        self.output_projection = sub_dense(self, "output", self.output_dim or width, inner)
        if self.gated:
            self.gates = self.add_weight(
                name="gates", shape=(self.num_heads,), initializer="ones", trainable=False
            )
        self.probability_dropout = Dropout(self.dropout, dtype=self.dtype_policy)
        super().build(input_shape)

    def call(self, inputs, memory=None, padding_mask=None, training=None):
        source = inputs if memory is None else memory
        mask = None
        if padding_mask is not None:
            mask = additive_padding_mask(padding_mask, inputs.dtype)
        if self.causal:
            causal = causal_mask(tf.shape(inputs)[1], inputs.dtype)
            mask = causal if mask is None else mask + causal
        context = self._attend(
            self._heads(self.query(inputs)),
            self._heads(self.key(source)),
            self._heads(self.value(source)),
            mask,
            training,
        )
        return self.output_projection(merge_heads(context, self.num_heads * self._head_dim))

    def check_call(self, inputs, kwargs):
        super().check_call(inputs, kwargs)
        if kwargs.get("memory") is not None:
            self._check_memory(kwargs["memory"], self.memory_dim or inputs.shape[-1])

    def _check_memory(self, memory, expected):
        if self.causal:
            raise ValueError(
                "Causal attention looks at its own input only. Received: causal=True and a memory. "
                "Use another layer, with causal=False, for cross-attention."
            )
        if memory.shape[-1] not in (None, expected):
            raise ValueError(
                "The memory must be as wide as the input unless `memory_dim` says otherwise. "
                f"Received: memory width={memory.shape[-1]}, expected={expected}. Pass "
                f"memory_dim={memory.shape[-1]} to the layer."
            )

    def _heads(self, x):
        return split_heads(x, self.num_heads, self._head_dim)

    def _attend(self, query, keys, values, mask, training: bool | None = False):
        scores = tf.matmul(scale_queries(query, self._head_dim), keys, transpose_b=True)
        if mask is not None:
            scores += tf.cast(mask, scores.dtype)
        probabilities = self._record(tf.nn.softmax(scores), "probabilities")
        probabilities = self.probability_dropout(probabilities, training=training)
        context = tf.matmul(probabilities, values)
        if self.gated:
            context *= tf.reshape(tf.cast(self.gates, context.dtype), [-1, 1, 1])
        return self._record(context)

    def state_spec(self, over_memory: bool = False) -> dict[str, StateSpec]:
        """Returns what `step` needs of the steps before, or of the memory.

        Args:
            over_memory: Whether the layer attends to a memory.
        """
        shape = (self.num_heads, None, self._head_dim)
        if over_memory:
            spec = StateSpec(shape, per=SENTENCE)
            return {"memory_keys": spec, "memory_values": spec}
        return {"keys": StateSpec(shape), "values": StateSpec(shape)}

    def init_cache(self, batch_size=None, max_length=None, memory=None) -> dict:
        """Returns the cache that `step` starts from.

        Args:
            batch_size: Rows of the batch; for self-attention.
            max_length: Tokens that the cache has room for; for self-attention.
            memory: `[batch, memory_length, memory_width]`; for cross-attention, whose keys and
                values are computed here once.

        Returns:
            A dictionary of tensors `[batch, num_heads, length, head_dim]`: `keys` and `values`,
            or `memory_keys` and `memory_values`.
        """
        self._check_built()
        if memory is not None:
            self._check_memory(memory, self._memory_dim)
            return {
                "memory_keys": self._heads(self.key(memory)),
                "memory_values": self._heads(self.value(memory)),
            }
        if batch_size is None or max_length is None:
            raise ValueError(
                "A cache needs its size. Received: "
                f"batch_size={batch_size}, max_length={max_length}, memory=None. Pass `batch_size` "
                "and `max_length` for self-attention, or `memory` for cross-attention."
            )
        return super().init_cache(batch_size, max_length)

    def step(self, inputs, position, cache, padding_mask=None):
        """Computes one position from the cache of the earlier ones.

        Args:
            inputs: `[batch, width]`.
            position: Integer scalar, the number of earlier positions.
            cache: What `init_cache` or the step before returned. A memory of batch size 1 serves
                every row of a larger batch.
            padding_mask: Over a memory, which of its positions are tokens, as in `call`. Over
                the cache, the additive mask `[1, 1, 1, max_length]` where the caller has it
                already; computed from `position` otherwise.

        Returns:
            A pair: `[batch, width]`, equal to what `call` gives at this position, and the new
            cache.
        """
        if "memory_keys" in cache:
            return self._step_memory(inputs, cache, padding_mask), cache
        if self.computes_with(CACHED_ATTENTION) and not self.gated:
            return self._step_emitted(inputs, position, cache)
        cache = {
            "keys": self.update_row(cache["keys"], self._step_heads(self.key(inputs)), position),
            "values": self.update_row(
                cache["values"], self._step_heads(self.value(inputs)), position
            ),
        }
        mask = padding_mask
        if mask is None:
            mask = step_mask(position, tf.shape(cache["keys"])[2])
        query = self._step_heads(self.query(inputs))
        context = self._attend(query, cache["keys"], cache["values"], mask)
        return self._step_output(context), cache

    def _step_emitted(self, inputs, position, cache):
        """`step` over a cache, with attention as one custom operation."""
        rows = self.query(inputs), self.key(inputs), self.value(inputs)
        position = tf.reshape(tf.cast(position, tf.int32), [1])
        context, keys, values = cached_attention(*rows, cache["keys"], cache["values"], position)
        return self.output_projection(context), {"keys": keys, "values": values}

    def _step_memory(self, inputs, cache, padding_mask):
        keys, values = cache["memory_keys"], cache["memory_values"]
        query = self.query(inputs)
        is_plain = padding_mask is None and not self.gated
        # The operation gives no probabilities.
        is_plain &= "probabilities" not in self._records
        if self.computes_with(MEMORY_ATTENTION) and is_plain:
            return self.output_projection(memory_attention(query, keys, values))
        mask = None
        if padding_mask is not None:
            mask = additive_padding_mask(padding_mask, inputs.dtype)
        if keys.shape[0] == 1:
            # Every row of the batch reads the one memory: rows become query positions, so that a
            # beam neither copies the memory nor multiplies by it more than once.
            query = self._heads(query[tf.newaxis])
            context = tf.transpose(self._attend(query, keys, values, mask), [0, 2, 1, 3])
        else:
            context = self._attend(self._step_heads(query), keys, values, mask)
        return self._step_output(context)

    def _step_heads(self, x):
        return tf.reshape(x, [-1, self.num_heads, 1, self._head_dim])

    def _step_output(self, context):
        return self.output_projection(tf.reshape(context, [-1, self.num_heads * self._head_dim]))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim or input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "causal": self.causal,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "memory_dim": self.memory_dim,
            "output_dim": self.output_dim,
            "gated": self.gated,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
