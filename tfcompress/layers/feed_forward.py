"""The position-wise feed-forward network."""

from collections.abc import Callable

from tensorflow import keras

from tfcompress.layers.common.activations import get_activation
from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.recording import Recording
from tfcompress.layers.common.serialization import register
from tfcompress.layers.dense import sub_dense
from tfcompress.layers.dropout import Dropout


@register
class FeedForward(Recording, Layer):
    """Two dense layers with an activation between them, applied to every position alone.

    Number of parameters, with input width `d` and `f = intermediate_dim`: `2*d*f`, and `f + d`
    more with biases. `intermediate_dim` equal to the width gives Lite Transformer's flattened
    form.

    Args:
        intermediate_dim: Width between the two dense layers.
        activation: Activation between them: a Keras activation, or "gelu_tanh" for the tanh
            approximation.
        dropout: Dropout rate after the activation.
        use_bias: Whether the dense layers have biases.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[..., width]`.
        training: Whether dropout is active.

    Returns:
        A tensor of the same shape.

    `with layer.recording() as units:` keeps the values between the dense layers of every call
    meanwhile: `[..., intermediate_dim]`.

    Raises:
        ValueError: If `intermediate_dim` is below 1 or `dropout` outside [0, 1).

    Example:

    >>> tfc.layers.FeedForward(64)(np.random.rand(2, 5, 16).astype("float32")).shape
    TensorShape([2, 5, 16])

    Reference: Vaswani et al., 2017, arXiv:1706.03762.
    """

    input_axes = ("...", "width")
    recorded_values = ("units",)

    def __init__(
        self,
        intermediate_dim: int,
        *,
        activation: str | Callable | None = "relu",
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if intermediate_dim < 1:
            raise ValueError(
                "`intermediate_dim` must be at least 1. "
                f"Received: intermediate_dim={intermediate_dim}."
            )
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.intermediate_dim = intermediate_dim
        self.activation = get_activation(activation)
        self.dropout = dropout
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        self.inner = sub_dense(self, "inner", self.intermediate_dim, width, self.activation)
        self.outer = sub_dense(self, "outer", width, self.intermediate_dim)
        self.inner_dropout = Dropout(self.dropout, dtype=self.dtype_policy)
        super().build(input_shape)

    def call(self, inputs, training=None):
        units = self._record(self.inner(inputs))
        return self.outer(self.inner_dropout(units, training=training))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "intermediate_dim": self.intermediate_dim,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
