"""Weights of layers that may be frozen."""

import contextlib
from collections.abc import Iterator

from tensorflow import keras


@contextlib.contextmanager
def thawed(layer: keras.layers.Layer) -> Iterator[None]:
    """Gives the weights of a frozen layer the order of one that trains.

    Args:
        layer: The layer.
    """
    frozen = not layer.trainable
    if frozen:
        layer.trainable = True
    try:
        yield
    finally:
        if frozen:
            layer.trainable = False


def copy_layers(source: keras.Model, target: keras.Model) -> None:
    """Gives a model the weights of another with the same layers.

    Args:
        source: Where from.
        target: Where to.
    """
    given = {layer.name: layer for layer in source.layers}
    for layer in target.layers:
        with thawed(given[layer.name]), thawed(layer):
            layer.set_weights(given[layer.name].get_weights())
