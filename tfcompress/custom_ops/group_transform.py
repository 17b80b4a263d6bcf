"""A chain of grouped linear layers with their shuffles, normalizations and activations."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfcompress.custom_ops.emission import emit
from tfcompress.custom_ops.maths import activate, float_bits, normalize
from tfcompress.custom_ops.names import GROUP_TRANSFORM


@dataclass(frozen=True)
class Stage:
    """A grouped linear layer.

    Attributes:
        weight: `[groups, outputs / groups, inputs / groups]`.
        bias: `[outputs]`.
        norm: Gamma and beta, `[outputs / groups]`; None does not normalize.
        shuffle: Whether the groups' outputs are interleaved.
        activation: Number of the activation.
        epsilon: The normalization's.
    """

    weight: tf.Tensor
    bias: tf.Tensor
    norm: tuple[tf.Tensor, tf.Tensor] | None
    shuffle: bool
    activation: int
    epsilon: float

    def config(self) -> list[int]:
        """The attributes that are numbers."""
        flags = [int(self.shuffle), int(self.norm is not None)]
        return [self.weight.shape[0], *flags, self.activation, float_bits(self.epsilon)]

    def operands(self) -> list[tf.Tensor]:
        """The tensors."""
        units = self.weight.shape[1]
        norm = (tf.ones([units]), tf.zeros([units])) if self.norm is None else self.norm
        return [self.weight, self.bias, *norm]

    def apply(self, x: tf.Tensor, operands: Sequence[tf.Tensor]) -> tf.Tensor:
        """Returns `[count, outputs]` of `[count, inputs]`, with these tensors."""
        weight, bias, gamma, beta = operands
        groups, units, inputs = self.weight.shape
        y = tf.reshape(x, [-1, groups, inputs])
        y = tf.matmul(tf.transpose(y, [1, 0, 2]), weight, transpose_b=True)
        y += tf.reshape(bias, [groups, 1, units])
        y = tf.transpose(y, [1, 2, 0] if self.shuffle else [1, 0, 2])
        y = tf.reshape(y, [-1, groups, units])
        if self.norm is not None:
            y = normalize(y, gamma, beta, self.epsilon)
        return tf.reshape(activate(y, self.activation), [-1, groups * units])


def group_transform(x: tf.Tensor, stages: Sequence[Stage], *, projected: bool = False) -> tf.Tensor:
    """Applies grouped linear layers, each but the first to the chain's input and the one before.

    A layer of `g` groups gets, in each group, a `g`-th of the chain's input followed by a `g`-th of
    what the layer before gave.

    Args:
        x: `[count, inputs]`.
        stages: The layers.
        projected: Whether the chain's input is not `x`, but what the first layer gives, which is
            then followed by the chain's own first.

    Returns:
        `[count, outputs]` of the last layer.
    """

    def body(x, *operands):
        stage_operands = [operands[4 * i : 4 * i + 4] for i in range(len(stages))]
        chain = list(zip(stages, stage_operands))
        if projected:
            first, weights = chain.pop(0)
            x = first.apply(x, weights)
        y = None
        for stage, weights in chain:
            y = stage.apply(x if y is None else _mix(x, y, stage.weight.shape[0]), weights)
        return y

    config = [int(projected), *(value for stage in stages for value in stage.config())]
    operands = [operand for stage in stages for operand in stage.operands()]
    return emit(GROUP_TRANSFORM, body, [x, *operands], config)


def _mix(x, y, groups):
    parts = [tf.reshape(z, [-1, groups, z.shape[-1] // groups]) for z in (x, y)]
    return tf.reshape(tf.concat(parts, axis=-1), [-1, x.shape[-1] + y.shape[-1]])
