"""What any Keras layers take and give, looked at from outside."""

import contextlib
import functools
from collections.abc import Iterator, Mapping

import tensorflow as tf
from tensorflow import keras

Calls = dict[str, list[tuple[tf.Tensor, tf.Tensor]]]


@contextlib.contextmanager
def captured_calls(layers: Mapping[str, keras.layers.Layer]) -> Iterator[Calls]:
    """Keeps the first argument and the result of every call of some layers meanwhile.

    Args:
        layers: Any layers by names.

    Yields:
        The calls of each layer, by its name, so far.
    """
    calls = {name: [] for name in layers}
    before = {name: vars(layer).get("call") for name, layer in layers.items()}
    try:
        for name, layer in layers.items():
            object.__setattr__(layer, "call", _capturing(layer.call, calls[name]))
        yield calls
    finally:
        for name, layer in layers.items():
            if before[name] is None:
                vars(layer).pop("call", None)
            else:
                object.__setattr__(layer, "call", before[name])


def _capturing(call, calls):
    @tf.autograph.experimental.do_not_convert
    @functools.wraps(call)
    def captured(inputs, *args, **kwargs):
        outputs = call(inputs, *args, **kwargs)
        calls.append((inputs, outputs))
        return outputs

    return captured
