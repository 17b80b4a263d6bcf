"""DExTra, DeLighT's deep and light-weight transformation, and DeFINE's."""

from collections.abc import Callable

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
from tfcompress.layers.hierarchical_group_transform import HierarchicalGroupTransform
from tfcompress.scaling import (
    GroupSchedule,
    default_max_groups,
    define_schedule,
    dextra_schedule,
)

SCHEDULES = ("dextra", "define", "released")


@register
class DExTraBlock(Layer):
    """Expands and reduces every position through grouped layers.

    A dense layer projects the input to `projection_dim`, a `HierarchicalGroupTransform` widens and
    narrows it, and a dense layer maps `[projected input, transform]` to `output_dim`. Each of the
    `num_layers + 2` layers has its normalization and activation.

    The input projection is the released code's, to which the published parameter counts belong; the
    papers do without. `tfcompress.scaling` has the widths and groups and says where paper and code
    differ.

    Number of parameters, each layer with bias and normalization: `n*m/g + m + 2*m/g`, added up over
    the input projection (`n` is the input width, `m = projection_dim`, `g = 1`), the layers of
    `group_schedule`, and the output projection (`n = projection_dim` plus the width of the last
    grouped layer, `m = output_dim`, `g = 1`).

    Args:
        output_dim: Width of the output, and of the last grouped layer.
        num_layers: Number of grouped layers, at least 2.
        width_multiplier: Largest width of the transform, in widths of the input.
        projection_dim: Width after the input projection; `output_dim` by default.
        max_groups: Largest number of groups; by default `default_max_groups` of the input width.
        schedule: Widths and groups: "dextra" (`dextra_schedule`), "define" (`define_schedule`) or
            "released" (`define_schedule` with the groups of the released code).
        shuffle: Whether the grouped layers shuffle; by default with "dextra" only.
        activation: Activation of each layer.
        normalize: Whether each layer normalizes.
        dropout: Dropout rate of each layer.
        use_bias: Whether the layers have biases.
        epsilon: Epsilon of the normalizations.
        kernel_initializer: Initializer of the kernels, as `GroupLinear` has it.
        bias_initializer: Initializer of the biases.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Attributes:
        group_schedule: The `GroupSchedule`, once built.
        input_projection: The first `GroupLinear`, of one group.
        transform: The `HierarchicalGroupTransform`.
        output_projection: The last `GroupLinear`, of one group.

    Call arguments:
        inputs: `[..., width]`.
        training: Whether dropout is active.

    Returns:
        `[..., output_dim]`.

    Raises:
        ValueError: If a size or rate is impossible, `schedule` is unknown, or a number of groups
            does not divide a width.

    Example:

    >>> layer = tfc.layers.DExTraBlock(32, num_layers=4)
    >>> layer(np.random.rand(2, 5, 64).astype("float32")).shape
    TensorShape([2, 5, 32])

    Reference: Mehta et al., 2021, arXiv:2008.00623.
    """

    input_axes = ("...", "width")

    def __init__(
        self,
        output_dim: int,
        *,
        num_layers: int,
        width_multiplier: float = 2.0,
        projection_dim: int | None = None,
        max_groups: int | None = None,
        schedule: str = "dextra",
        shuffle: bool | None = None,
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
        sizes = {
            "output_dim": output_dim,
            "projection_dim": projection_dim,
            "max_groups": max_groups,
        }
        for name, value in sizes.items():
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        if num_layers < 2:
            raise ValueError(f"`num_layers` must be at least 2. Received: num_layers={num_layers}.")
        if not width_multiplier > 0:
            raise ValueError(
                "`width_multiplier` must be positive. "
                f"Received: width_multiplier={width_multiplier}."
            )
        if schedule not in SCHEDULES:
            raise ValueError(
                f"`schedule` must be one of {', '.join(SCHEDULES)}. Received: "
                f"schedule={schedule!r}."
            )
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must lie in [0, 1). Received: dropout={dropout}.")
        self.output_dim = output_dim
        self.num_layers = num_layers
        self.width_multiplier = width_multiplier
        self.projection_dim = projection_dim
        self.max_groups = max_groups
        self.schedule = schedule
        self.shuffle = shuffle
        self.activation = keras.activations.get(activation)
        self.normalize = normalize
        self.dropout = dropout
        self.use_bias = use_bias
        self.epsilon = epsilon
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.supports_masking = True

    def build(self, input_shape):
        width = self._input_dim = input_shape[-1]
        projection_dim = self.projection_dim or self.output_dim
        self.group_schedule = self._schedule(width, projection_dim)
        options = {
            "activation": self.activation,
            "normalize": self.normalize,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "epsilon": self.epsilon,
            "kernel_initializer": self.kernel_initializer,
            "bias_initializer": self.bias_initializer,
            "dtype": self.dtype_policy,
        }
        self.input_projection = GroupLinear(
            projection_dim, num_groups=1, name="input_projection", **options
        )
        self.transform = HierarchicalGroupTransform(
            self.group_schedule.outputs,
            num_groups=self.group_schedule.groups,
            shuffle=self.schedule == "dextra" if self.shuffle is None else self.shuffle,
            name="transform",
            **options,
        )
        self.output_projection = GroupLinear(
            self.output_dim, num_groups=1, name="output_projection", **options
        )
        build_sublayer(self.input_projection, (None, width))
        build_sublayer(self.transform, (None, projection_dim))
        build_sublayer(self.output_projection, (None, projection_dim + self.output_dim))
        super().build(input_shape)

    def _schedule(self, width, projection_dim) -> GroupSchedule:
        max_groups = self.max_groups or default_max_groups(width)
        sizes = (
            projection_dim,
            self.output_dim,
            self.width_multiplier * width,
            self.num_layers,
            max_groups,
        )
        if self.schedule == "dextra":
            return dextra_schedule(*sizes)
        return define_schedule(*sizes, released=self.schedule == "released")

    def call(self, inputs, training=None):
        rank = inputs.shape.rank
        x = inputs if rank == 2 else tf.reshape(inputs, [-1, self._input_dim])
        if self.computes_with(GROUP_TRANSFORM) and activation_code(self.activation) is not None:
            chain = (self.input_projection, *self.transform.group_layers, self.output_projection)
            y = group_transform(x, [layer.stage() for layer in chain], projected=True)
        else:
            x = self.input_projection(x, training=training)
            y = self.transform(x, training=training)
            y = self.output_projection(tf.concat([x, y], axis=-1), training=training)
        if rank == 2:
            return y
        return tf.reshape(y, [*known_or_dynamic_shape(inputs, rank=rank - 1), self.output_dim])

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "num_layers": self.num_layers,
            "width_multiplier": self.width_multiplier,
            "projection_dim": self.projection_dim,
            "max_groups": self.max_groups,
            "schedule": self.schedule,
            "shuffle": self.shuffle,
            "activation": keras.activations.serialize(self.activation),
            "normalize": self.normalize,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "epsilon": self.epsilon,
            "kernel_initializer": serialized_initializer(self.kernel_initializer),
            "bias_initializer": serialized_initializer(self.bias_initializer),
        }
