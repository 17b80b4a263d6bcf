"""A chain of grouped layers, each of which sees the input of the chain again."""

from collections.abc import Callable, Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.custom_ops.group_transform import group_transform
from tfcompress.custom_ops.maths import activation_code
from tfcompress.custom_ops.names import GROUP_TRANSFORM
from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.serialization import register
from tfcompress.layers.common.shapes import known_or_dynamic_shape
from tfcompress.layers.common.sublayers import build_sublayer, serialized_initializer
from tfcompress.layers.group_linear import GroupLinear


def mix_groups(x: tf.Tensor, y: tf.Tensor, num_groups: int) -> tf.Tensor:
    """Returns `[count, n + m]` in which each group holds its part of `x`, then its part of `y`.

    Args:
        x: `[count, n]`.
        y: `[count, m]`.
        num_groups: Number of groups, which must divide `n` and `m`.
    """
    parts = [tf.reshape(z, [-1, num_groups, z.shape[-1] // num_groups]) for z in (x, y)]
    return tf.reshape(tf.concat(parts, axis=-1), [-1, x.shape[-1] + y.shape[-1]])


@register
class HierarchicalGroupTransform(Layer):
    """Grouped linear layers in a chain, with the chain's input mixed into each layer but the first.

    A later layer of `g` groups gets, in each group, a `g`-th of the chain's input followed by a
    `g`-th of the layer before.

    Number of parameters: those of the `GroupLinear` layers, whose inputs are the chain's and, from
    the second on, as many more as the layer before is wide.

    Args:
        output_dims: Output widths of the layers.
        num_groups: Numbers of groups of the layers. Each must divide the width of the input, of
            its own layer and of the layer before.
        shuffle: Whether layers shuffle, see `GroupLinear`.
        activation: Activation of each layer.
        normalize: Whether each layer normalizes.
        dropout: Dropout rate of each layer.
        use_bias: Whether the layers have biases.
        epsilon: Epsilon of the normalizations.
        kernel_initializer: Initializer of the kernels, as `GroupLinear` has it.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[..., width]`.
        training: Whether dropout is active.

    Returns:
        `[..., output_dims[-1]]`, the output of the last layer.

    Raises:
        ValueError: If the sequences are empty or of different lengths, a rate is impossible or a
            number of groups does not divide a width.

    Example:

    >>> layer = tfc.layers.HierarchicalGroupTransform((32, 64, 32), num_groups=(2, 4, 2))
    >>> layer(np.random.rand(2, 5, 16).astype("float32")).shape
    TensorShape([2, 5, 32])

    Reference: Mehta et al., 2020, arXiv:1911.12385.
    """

    input_axes = ("...", "width")

    def __init__(
        self,
        output_dims: Sequence[int],
        *,
        num_groups: Sequence[int],
        shuffle: bool = True,
        activation: str | Callable | None = "swish",
        normalize: bool = True,
        dropout: float = 0.0,
        use_bias: bool = True,
        epsilon: float = 1e-5,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        output_dims, num_groups = tuple(output_dims), tuple(num_groups)
        if not output_dims or len(output_dims) != len(num_groups):
            raise ValueError(
                "`output_dims` and `num_groups` must have one entry for each layer. Received: "
                f"output_dims={output_dims}, num_groups={num_groups}."
            )
        for width, groups in zip(output_dims, num_groups[1:]):
            if groups < 1 or width % groups:
                raise ValueError(
                    "The groups of a layer must divide the width of the layer before. Received: "
                    f"{groups} groups after a width of {width} in output_dims={output_dims}, "
                    f"num_groups={num_groups}."
                )
        self.output_dims = output_dims
        self.num_groups = num_groups
        self.shuffle = shuffle
        self.activation = keras.activations.get(activation)
        self.normalize = normalize
        self.dropout = dropout
        self.use_bias = use_bias
        self.epsilon = epsilon
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.group_layers = [
            GroupLinear(
                width,
                num_groups=groups,
                shuffle=shuffle,
                activation=self.activation,
                normalize=normalize,
                epsilon=epsilon,
                dropout=dropout,
                use_bias=use_bias,
                kernel_initializer=kernel_initializer,
                bias_initializer=bias_initializer,
                dtype=self.dtype_policy,
                name=f"group_linear_{index}",
            )
            for index, (width, groups) in enumerate(zip(output_dims, num_groups))
        ]
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        for groups in self.num_groups:
            if width % groups:
                raise ValueError(
                    "The input width must be divisible by the number of groups of every layer. "
                    f"Received: width={width}, num_groups={self.num_groups}."
                )
        self._input_dim = width
        for layer, before in zip(self.group_layers, [0, *self.output_dims]):
            build_sublayer(layer, (None, width + before))
        super().build(input_shape)

    def call(self, inputs, training=None):
        x = inputs if inputs.shape.rank == 2 else tf.reshape(inputs, [-1, self._input_dim])
        first, *others = self.group_layers
        if self.computes_with(GROUP_TRANSFORM) and activation_code(self.activation) is not None:
            y = group_transform(x, [layer.stage() for layer in self.group_layers])
        else:
            y = first(x, training=training)
            for layer in others:
                y = layer(mix_groups(x, y, layer.num_groups), training=training)
        if inputs.shape.rank == 2:
            return y
        leading = known_or_dynamic_shape(inputs, rank=inputs.shape.rank - 1)
        return tf.reshape(y, [*leading, self.output_dims[-1]])

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dims[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "output_dims": list(self.output_dims),
            "num_groups": list(self.num_groups),
            "shuffle": self.shuffle,
            "activation": keras.activations.serialize(self.activation),
            "normalize": self.normalize,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "epsilon": self.epsilon,
            "kernel_initializer": serialized_initializer(self.kernel_initializer),
            "bias_initializer": serialized_initializer(self.bias_initializer),
        }
