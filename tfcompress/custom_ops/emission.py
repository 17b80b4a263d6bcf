"""Marks computations for conversion."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from tfcompress.custom_ops.names import is_weight


def emit(
    name: str,
    body: Callable[..., tf.Tensor | tuple[tf.Tensor, ...]],
    operands: Sequence[tf.Tensor],
    config: Sequence[int],
) -> tf.Tensor | tuple[tf.Tensor, ...]:
    """Computes `body(*operands)` as one operation of the device.

    Args:
        name: The operation.
        body: What it computes, of its operands alone.
        operands: All but the first operand and the weights' scales. Weights are
            `[..., outputs, inputs]`.
        config: Its attributes, the first operand, as a kernel sees operands only.
    """
    passed, positions = [tf.constant(config, tf.int32)], []
    for operand in operands:
        positions.append(len(passed))
        passed.append(operand)
        if is_weight(name, len(passed) - 1):
            # Those of a float32 weight. The export puts others in their place.
            passed.append(tf.ones([operand.shape[:-1].num_elements()]))

    @tf.function(experimental_implements=implements(name), autograph=False)
    def marked(*all_operands):
        return body(*(all_operands[i] for i in positions))

    return marked(*passed)


def implements(name: str) -> str:
    """Returns the mark of a function that becomes one operation of a name.

    Args:
        name: The operation.
    """
    return f'name: "{name}" attr {{ key: "tfl_fusable_op" value {{ b: true }} }}'
