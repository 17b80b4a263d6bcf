"""Grouped linear transformation, the unit of DeFINE and DeLighT."""

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

    Number of parameters, with `n` inputs and `g` groups: `n*units/g`, `units` more with biases and
    `2*units/g` more with normalization.

    Args:
        units: Width of the output.
        num_groups: Number of groups; must divide the widths of input and output.
        shuffle: Whether the outputs of the groups are interleaved, so that a following grouped
            layer sees something of each.
        activation: Activation.
        normalize: Whether to normalize before the activation.
        epsilon: Epsilon of the normalization.
        dropout: Dropout rate after the activation.
        use_bias: Whether there is a bias.
        kernel_initializer: Initializer of each group's kernel `[n/g, units/g]`. The reference code
            uses bounds of `sqrt(6 / (n*units/g**2 + units))`, narrower than Glorot's; where the
            output is normalized, both start the same function but for the epsilon.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[..., n]`.
        training: Whether dropout is active.

    Returns:
        `[..., units]`.

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
        units: int,
        *,
        num_groups: int,
        shuffle: bool = False,
        activation=None,
        normalize: bool = False,
        epsilon: float = 1e-5,
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in {"units": units, "num_groups": num_groups}.items():
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        if units % num_groups:
            raise ValueError(
                f"`units` must be divisible by `num_groups`. Received: units={units}, "
                f"num_groups={num_groups}."
            )
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.units = units
        self.num_groups = num_groups
        self.shuffle = shuffle
        self.activation = keras.activations.get(activation)
        self.normalize = normalize
        self.epsilon = epsilon
        self.dropout = dropout
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.num_groups:
            raise ValueError(
                "The input width must be divisible by `num_groups`. Received: "
                f"width={width}, num_groups={self.num_groups}."
            )
        self._input_dim = width
        self._group_units = self.units // self.num_groups
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.num_groups, width // self.num_groups, self._group_units),
            initializer=self._initial_kernels,
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        if self.normalize:
            self.normalization = LayerNormalization(
                self.epsilon, dtype=self.dtype_policy, name="normalization"
            )
            build_sublayer(self.normalization, (None, None, self._group_units))
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
            return tf.reshape(y, [*leading, self.units])
        x = self._dense(inputs) if self.num_groups == 1 else self._grouped(inputs)
        if self.normalize:
            x = self.normalization(x)
        if x.shape.rank != 2 or inputs.shape.rank != 2:
            leading = known_or_dynamic_shape(inputs, rank=inputs.shape.rank - 1)
            x = tf.reshape(x, [*leading, self.units])
        return self.output_dropout(self.activation(x), training=training)

    def _dense(self, inputs):
        """Returns `[count, units]`."""
        x = inputs if inputs.shape.rank == 2 else tf.reshape(inputs, [-1, self._input_dim])
        x = tf.matmul(x, tf.reshape(tf.cast(self.kernel, x.dtype), [self._input_dim, self.units]))
        return tf.nn.bias_add(x, tf.cast(self.bias, x.dtype)) if self.use_bias else x

    def _grouped(self, inputs):
        """Returns `[count, groups, units / groups]`."""
        groups = self.num_groups
        x = tf.reshape(inputs, [-1, groups, self._input_dim // groups])
        x = tf.matmul(tf.transpose(x, [1, 0, 2]), tf.cast(self.kernel, x.dtype))
        if self.use_bias:
            x += tf.reshape(tf.cast(self.bias, x.dtype), [groups, 1, self._group_units])
        x = tf.transpose(x, [1, 2, 0] if self.shuffle else [1, 0, 2])
        return tf.reshape(x, [-1, groups, self._group_units])

    def stage(self) -> Stage:
        """Returns the layer as a part of a custom operation."""
        norm = self.normalization if self.normalize else None
        return Stage(
            tf.transpose(tf.convert_to_tensor(self.kernel), [0, 2, 1]),
            bias_of(self, self.units),
            None if norm is None else tuple(norm_operands(norm)),
            self.shuffle,
            activation_code(self.activation),
            self.epsilon,
        )

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_groups": self.num_groups,
            "shuffle": self.shuffle,
            "activation": keras.activations.serialize(self.activation),
            "normalize": self.normalize,
            "epsilon": self.epsilon,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
