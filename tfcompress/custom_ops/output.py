"""Where the output layer says what its logits are made of."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import tensorflow as tf

_captured = contextvars.ContextVar("captured", default=None)


@dataclass
class Output:
    """An output layer that has been called.

    Attributes:
        x: `[batch, width]`, or None where the logits are no product with one table.
        table: `[vocabulary_size, width]`.
        bias: `[vocabulary_size]`.
    """

    x: tf.Tensor | None = None
    table: tf.Tensor | None = None
    bias: tf.Tensor | None = None


@contextlib.contextmanager
def capturing() -> Iterator[Output]:
    """Yields an `Output`, which the output layer that is called meanwhile fills in."""
    output = Output()
    token = _captured.set(output)
    try:
        yield output
    finally:
        _captured.reset(token)


def capture(x: tf.Tensor, read_weights: Callable[[], tuple[tf.Tensor, tf.Tensor]]) -> None:
    """Says that logits are about to be computed.

    Args:
        x: `[batch, width]`.
        read_weights: Returns the table `[vocabulary_size, width]` and the bias `[vocabulary_size]`;
            called only where somebody listens.
    """
    output = _captured.get()
    if output is not None:
        output.x = x
        output.table, output.bias = read_weights()
