"""Lets the layers of a model compute as they do on a device, while the model is traced."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import cast

from tensorflow import keras

from tfcompress.layers.common.layer import Layer
from tfcompress.layers.common.nested import named_layers


@contextlib.contextmanager
def device_operations(model: keras.layers.Layer, names: Iterable[str]) -> Iterator[None]:
    """Lets the layers inside a model compute with operations of the device for a while.

    Args:
        model: A model or layer.
        names: The operations.
    """
    layers = cast(list[Layer], list(named_layers(model, Layer).values()))
    names = frozenset(names)
    for layer in layers:
        layer.device_operations = names
    try:
        yield
    finally:
        for layer in layers:
            layer.device_operations = frozenset()
