"""A simpler simple recurrent unit: one vector of state in place of attention to the past."""

import tensorflow as tf
from tensorflow import keras

from tfcompress.decoder_state import StateSpec
from tfcompress.layers.common.masks import token_mask
from tfcompress.layers.common.recurrence import linear_recurrence
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.state import IncrementalLayer
from tfcompress.layers.common.sublayers import build_sublayer, copy_initializer
from tfcompress.layers.dense import Dense
from tfcompress.layers.dropout import Dropout


@register
class SSRU(IncrementalLayer):
    """A recurrent unit whose gate depends on the input alone.

    For decoders: a step costs the same at every position, and all that it carries is one vector.
    Training computes all positions at once, as an associative scan. With `x` the input,

        f[t] = sigmoid(Wf x[t] + bf)
        c[t] = f[t] * c[t-1] + (1 - f[t]) * (W x[t]),  c[-1] = 0
        output = relu(c)

    and `Wo relu(c) + bo` with an output projection. The residual connection and the normalization
    are those of the decoder layer around it.

    Number of parameters, with input width `d`: `2*d*d + d`, and `d*d + d` more with the output
    projection; `d` fewer for each bias without biases.

    Args:
        use_projection: Whether a dense layer follows the activation.
        dropout: Dropout rate on the inputs of both products; all positions of a sequence lose the
            same channels.
        use_bias: Whether the gate and the output projection have biases.
        max_length: Length of the longest sequence, if it is known: exported models that take
            sequences of any length then have no loop, which the native runtime does not run.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, length, width]`.
        padding_mask: Which positions are tokens, boolean or integer `[batch, length]`, or additive
            `[batch, 1, 1, length]`; padding leaves the state as it is. Only padding before or among
            the tokens needs it.
        training: Whether dropout is active.

    Returns:
        `[batch, length, width]`.

    Raises:
        ValueError: If a rate or length is impossible.
        InvalidArgumentError: If a graph that does not know its length gets a sequence longer than
            `max_length`.

    Example:

    >>> layer = tfc.layers.SSRU()
    >>> layer(np.random.rand(2, 5, 32).astype("float32")).shape
    TensorShape([2, 5, 32])

    Reference: Kim et al., 2019, "From Research to Production and Back: Ludicrously Fast Neural
    Machine Translation", D19-5632.
    """

    input_axes = ("batch", "length", "width")

    # A recurrence from the first position on, so that no other form exists.
    causal = True

    def __init__(
        self,
        use_projection: bool = False,
        *,
        dropout: float = 0.0,
        use_bias: bool = True,
        max_length: int | None = None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.use_projection = use_projection
        self.dropout = dropout
        if not (max_length is None or (isinstance(max_length, int) and max_length >= 1)):
            raise ValueError(
                f"`max_length` must be at least 1, or None. Received: max_length={max_length!r}."
            )
        self.use_bias = use_bias
        self.max_length = max_length
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True
        if dropout:
            self.input_dropout = Dropout(dropout, dtype=self.dtype_policy)

    def build(self, input_shape):
        self._width = input_shape[-1]
        self.candidate = self._dense("candidate", use_bias=False)
        self.forget_gate = self._dense("forget_gate", activation="sigmoid")
        if self.use_projection:
            self.output_projection = self._dense("output_projection")
        super().build(input_shape)

    def _dense(self, name, use_bias=True, activation=None):
        layer = Dense(
            self._width,
            activation=activation,
            use_bias=self.use_bias and use_bias,
            kernel_initializer=copy_initializer(self.kernel_initializer),
            bias_initializer=copy_initializer(self.bias_initializer),
            dtype=self.dtype_policy,
            name=name,
        )
        build_sublayer(layer, (None, self._width))
        return layer

    def call(self, inputs, padding_mask=None, training=None):
        x = tf.cast(inputs, self.compute_dtype)
        if self.dropout and training:
            x *= self.input_dropout(tf.ones_like(x[:, :1]), training=True)
        # Products of many gates need single precision.
        forget, fresh = (tf.cast(value, tf.float32) for value in self._gate(x))
        if padding_mask is not None:
            tokens = token_mask(padding_mask, tf.float32)
            forget, fresh = forget * tokens + 1 - tokens, fresh * tokens
        cells = linear_recurrence(forget, fresh, max_length=self.max_length)
        return self._output(tf.cast(cells, x.dtype))

    def _gate(self, x):
        forget = self.forget_gate(x)
        return forget, (1 - forget) * self.candidate(x)

    def _output(self, cell):
        y = tf.nn.relu(cell)
        return self.output_projection(y) if self.use_projection else y

    def state_spec(self) -> dict[str, StateSpec]:
        """Returns what `step` needs of the steps before: the cell."""
        return {"cell": StateSpec((self._width,))}

    def step(self, inputs, position, cache, padding_mask=None):
        """Computes one position from the cell of the one before.

        Args:
            inputs: `[batch, width]`.
            position: Not needed; taken so that the layer stands wherever attention does.
            cache: What `init_cache` or the step before returned.
            padding_mask: Not needed either.

        Returns:
            A pair: `[batch, width]`, equal to what `call` gives at this position, and the new
            cache.
        """
        forget, fresh = self._gate(tf.cast(inputs, self.compute_dtype))
        cell = forget * cache["cell"] + fresh
        return self._output(cell), {"cell": cell}

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "use_projection": self.use_projection,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "max_length": self.max_length,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
