"""Averaged attention: the running mean of what came before, in place of attention to it."""

from collections.abc import Callable

import tensorflow as tf
from tensorflow import keras

from tfcompress.decoder_state import StateSpec
from tfcompress.layers.common.activations import get_activation
from tfcompress.layers.common.masks import token_mask
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.state import IncrementalLayer
from tfcompress.layers.common.sublayers import build_sublayer, copy_initializer
from tfcompress.layers.dense import sub_dense
from tfcompress.layers.feed_forward import FeedForward


@register
class AveragedAttention(IncrementalLayer):
    """The mean of a position and all earlier ones, through a feed-forward network and gates.

    For decoders: a step costs the same at every position, and all that it carries is one vector.
    With `x` the input and `m[t] = (x[0] + ... + x[t]) / (t + 1)`,

        y = W2 activation(W1 m + b1) + b2
        output = sigmoid(Wi x + bi) * x + sigmoid(Wf y + bf) * y

    Without the feed-forward network `y = m`; without gates the output is `y`. The residual
    connection and the normalization of the paper are those of the decoder layer around it.

    Number of parameters, with input width `d` and `h = intermediate_dim`: `2*d*h` with the
    feed-forward network and `2*d*d` with gates; `h + d` and `2*d` more with biases.

    Args:
        intermediate_dim: Width between the dense layers of the feed-forward network; None leaves
            it out.
        activation: Its activation.
        use_gates: Whether gates weigh the input and the mean.
        dropout: Dropout rate after the activation.
        use_bias: Whether the dense layers have biases.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: Which positions are tokens, boolean or integer `[batch, length]`, or additive
            `[batch, 1, 1, length]`. Only padding before the tokens needs it.
        training: Whether dropout is active.

    Returns:
        `[batch, length, width]`.

    Raises:
        ValueError: If a size or rate is impossible.

    Example:

    >>> layer = tfc.layers.AveragedAttention(intermediate_dim=64)
    >>> layer(np.random.rand(2, 5, 32).astype("float32")).shape
    TensorShape([2, 5, 32])

    Reference: Zhang et al., 2018, arXiv:1805.00631; the feed-forward network's activation and
    width are those of Marian.
    """

    input_axes = ("batch", "length", "width")

    # A mean of all earlier positions, so that no other form exists.
    causal = True

    def __init__(
        self,
        intermediate_dim: int | None = 2048,
        *,
        activation: str | Callable | None = "swish",
        use_gates: bool = True,
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if intermediate_dim is not None and intermediate_dim < 1:
            raise ValueError(
                "`intermediate_dim` must be at least 1, or None. "
                f"Received: intermediate_dim={intermediate_dim}."
            )
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.intermediate_dim = intermediate_dim
        self.activation = get_activation(activation)
        self.use_gates = use_gates
        self.dropout = dropout
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        self._width = width
        if self.intermediate_dim is not None:
            self.feed_forward = FeedForward(
                self.intermediate_dim,
                activation=self.activation,
                dropout=self.dropout,
                use_bias=self.use_bias,
                kernel_initializer=copy_initializer(self.kernel_initializer),
                bias_initializer=copy_initializer(self.bias_initializer),
                dtype=self.dtype_policy,
                name="feed_forward",
            )
            build_sublayer(self.feed_forward, input_shape)
        if self.use_gates:
            self.input_gate = sub_dense(self, "input_gate", width, width, "sigmoid")
            self.mean_gate = sub_dense(self, "mean_gate", width, width, "sigmoid")
        super().build(input_shape)

    def call(self, inputs, padding_mask=None, training=None):
        inputs = tf.cast(inputs, self.compute_dtype)
        # Sums of many positions need single precision.
        x = tf.cast(inputs, tf.float32)
        tokens = tf.ones_like(x[:, :, :1])
        if padding_mask is not None:
            tokens = token_mask(padding_mask, tf.float32)
        count = tf.maximum(tf.cumsum(tokens, axis=1), 1)
        mean = tf.cumsum(x * tokens, axis=1) / count
        return self._mix(inputs, tf.cast(mean, inputs.dtype), training)

    def _mix(self, x, mean, training=None):
        y = mean
        if self.intermediate_dim is not None:
            y = self.feed_forward(mean, training=training)
        return self.input_gate(x) * x + self.mean_gate(y) * y if self.use_gates else y

    def state_spec(self) -> dict[str, StateSpec]:
        """Returns what `step` needs of the steps before: their mean."""
        return {"mean": StateSpec((self._width,))}

    def step(self, inputs, position, cache, padding_mask=None):
        """Computes one position from the mean of the earlier ones.

        Args:
            inputs: `[batch, width]`.
            position: Integer scalar, the number of earlier positions.
            cache: What `init_cache` or the step before returned.
            padding_mask: Not needed; taken so that the layer stands wherever attention does.

        Returns:
            A pair: `[batch, width]`, equal to what `call` gives at this position, and the new
            cache.
        """
        x = tf.cast(inputs, self.compute_dtype)
        earlier = tf.reshape(tf.cast(position, x.dtype), [1, 1])
        mean = (cache["mean"] * earlier + x) / (earlier + 1)
        return self._mix(x, mean), {"mean": mean}

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "intermediate_dim": self.intermediate_dim,
            "activation": keras.activations.serialize(self.activation),
            "use_gates": self.use_gates,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
