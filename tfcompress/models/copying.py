"""Weights of layers that may be frozen."""

from tensorflow import keras

from tfcompress.layers.common.thawing import thawed


def copy_weights(source: keras.layers.Layer, target: keras.layers.Layer) -> None:
    """Gives a layer the weights of another of the same shapes.

    Args:
        source: Where from.
        target: Where to; built.
    """
    with thawed(source), thawed(target):
        target.set_weights(source.get_weights())


def copy_layers(source: keras.Model, target: keras.Model) -> None:
    """Gives a model the weights of another with the same layers.

    Args:
        source: Where from.
        target: Where to.
    """
    sources = {layer.name: layer for layer in source.layers}
    for layer in target.layers:
        copy_weights(sources[layer.name], layer)
