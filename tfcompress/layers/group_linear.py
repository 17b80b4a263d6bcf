"""Grouped linear transformation, the unit of DeFINE and DeLighT."""

from collections.abc import Callable

import tensorflow as tf
from tensorflow import keras

from tfcompress.custom_ops.group_transform import Stage, group_transform
from tfcompress.custom_ops.maths import activation_code, bias_of, norm_operands
from tfcompress.custom_ops.names import GROUP_TRANSFORM
from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import known_or_dynamic_shape
from tfcompress.layers.common.sublayers import build_sublayer, copy_initializer
from tfcompress.layers.dropout import Dropout
from tfcompress.layers.layer_normalization import LayerNormalization


@register
class GroupLinear(Layer):
    """A dense layer cut into groups: each part of the input makes its own part of the output.

    In this order: product and bias in each group, shuffle, normalization, activation, dropout.
    With one group this is an ordinary dense layer.

    Each group's part is normalized alone, with one scale and shift that all groups share. The
    shuffle comes before, so that what is normalized together comes from all groups.

    Converts to one BATCH_MATMUL between two transpositions; with one group, to FULLY_CONNECTED.

    Number of parameters, with `n` inputs, `m` outputs and `g` groups: `n*m/g`, `m` more with biases
    and `2*m/g` more with normalization.

    Args:
        output_dim: Width of the output.
        num_groups: Number of groups; must divide the widths of input and output.
        shuffle: Whether the outputs of the groups are interleaved, so that a following grouped
            layer sees something of each.
        activation: Activation.
        normalize: Whether to normalize before the activation.
        epsilon: Epsilon of the normalization.
        dropout: Dropout rate after the activation.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of each group's kernel `[n/g, m/g]`. The reference code uses
            bounds of `sqrt(6 / (n*m/g**2 + m))`, narrower than Glorot's; where the output is
            normalized, both start the same function but for the epsilon.
        bias_initializer: Initializer of the bias.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[..., n]`.
        training: Whether dropout is active.

    Returns:
        `[..., output_dim]`.

    Raises:
        ValueError: If a size or rate is impossible or `num_groups` does not divide a width.

    Example:

    >>> layer = tfc.layers.GroupLinear(48, num_groups=4, shuffle=True, activation="swish")
    >>> layer(np.random.rand(2, 5, 32).astype("float32")).shape
    TensorShape([2, 5, 48])

    Reference: Mehta et al., 2021, arXiv:2008.00623.
    """

    input_axes = ("...", "width")

    weight_channels = {"kernel": (-1,)}

    def __init__(
        self,
        output_dim: int,
        *,
        num_groups: int,
        shuffle: bool = False,
        activation: str | Callable | None = None,
        normalize: bool = False,
        epsilon: float = 1e-5,
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in {"output_dim": output_dim, "num_groups": num_groups}.items():
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        if output_dim % num_groups:
            raise ValueError(
                "`output_dim` must be divisible by `num_groups`. Received: "
                f"output_dim={output_dim}, num_groups={num_groups}."
            )
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.output_dim = output_dim
        self.num_groups = num_groups
        self.shuffle = shuffle
        self.activation = keras.activations.get(activation)
        self.normalize = normalize
        self.epsilon = epsilon
        self.dropout = dropout
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.num_groups:
            raise ValueError(
                "The input width must be divisible by `num_groups`. Received: "
                f"width={width}, num_groups={self.num_groups}."
            )
        self._input_dim = width
        self._group_dim = self.output_dim // self.num_groups
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.num_groups, width // self.num_groups, self._group_dim),
            initializer=self._initial_kernels,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.output_dim,), initializer=self.bias_initializer
            )
        if self.normalize:
            self.normalization = LayerNormalization(
                self.epsilon, dtype=self.dtype_policy, name="normalization"
            )
            build_sublayer(self.normalization, (None, None, self._group_dim))
        self.output_dropout = Dropout(self.dropout, dtype=self.dtype_policy)
        super().build(input_shape)

    def _initial_kernels(self, shape, dtype=None):
        """Draws each group's kernel alone: initializers take a third axis for a convolution's."""
        draws = [copy_initializer(self.kernel_initializer) for _ in range(shape[0])]
        return tf.stack([draw(shape[1:], dtype=dtype) for draw in draws])

    def call(self, inputs, training=None):
        inputs = tf.cast(inputs, self.compute_dtype)
        if self.computes_with(GROUP_TRANSFORM) and activation_code(self.activation) is not None:
            y = group_transform(tf.reshape(inputs, [-1, self._input_dim]), [self.stage()])
            leading = known_or_dynamic_shape(inputs, rank=inputs.shape.rank - 1)
            return tf.reshape(y, [*leading, self.output_dim])
        x = self._dense(inputs) if self.num_groups == 1 else self._grouped(inputs)
        if self.normalize:
            x = self.normalization(x)
        if x.shape.rank != 2 or inputs.shape.rank != 2:
            leading = known_or_dynamic_shape(inputs, rank=inputs.shape.rank - 1)
            x = tf.reshape(x, [*leading, self.output_dim])
        return self.output_dropout(self.activation(x), training=training)

    def _dense(self, inputs):
        """Returns `[count, output_dim]`."""
        x = inputs if inputs.shape.rank == 2 else tf.reshape(inputs, [-1, self._input_dim])
        x = tf.matmul(
            x, tf.reshape(tf.cast(self.kernel, x.dtype), [self._input_dim, self.output_dim])
        )
        return tf.nn.bias_add(x, tf.cast(self.bias, x.dtype)) if self.use_bias else x

    def _grouped(self, inputs):
        """Returns `[count, groups, output_dim / groups]`."""
        groups = self.num_groups
        x = tf.reshape(inputs, [-1, groups, self._input_dim // groups])
        x = tf.matmul(tf.transpose(x, [1, 0, 2]), tf.cast(self.kernel, x.dtype))
        if self.use_bias:
            x += tf.reshape(tf.cast(self.bias, x.dtype), [groups, 1, self._group_dim])
        x = tf.transpose(x, [1, 2, 0] if self.shuffle else [1, 0, 2])
        return tf.reshape(x, [-1, groups, self._group_dim])

    def stage(self) -> Stage:
        """Returns the layer as a part of a custom operation."""
        norm = self.normalization if self.normalize else None
        activation = activation_code(self.activation)
        assert activation is not None  # Others are not computed as operations.
        return Stage(
            tf.transpose(tf.convert_to_tensor(self.kernel), [0, 2, 1]),
            bias_of(self, self.output_dim),
            None if norm is None else tuple(norm_operands(norm)),
            self.shuffle,
            activation,
            self.epsilon,
        )

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "num_groups": self.num_groups,
            "shuffle": self.shuffle,
            "activation": keras.activations.serialize(self.activation),
            "normalize": self.normalize,
            "epsilon": self.epsilon,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
