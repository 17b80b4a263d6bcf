"""Weights from one model to another, layer by layer."""

from typing import TypeVar

from tensorflow import keras

from tfcompress.layers import LayerDropWrapper, TheseusModule, initialize_successors
from tfcompress.models.copying import thawed
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.models.text_encoder import TextEncoder

Model = TypeVar("Model", Seq2SeqTransformer, TextEncoder)


def transfer_weights(source: Model, target: Model) -> list[str]:
    """Gives a model the weights of the layers of another that have the same names and shapes.

    Layers are found inside LayerDrop wrappers and modules that are being replaced too; so a trained
    model becomes the predecessor of a model with `successors`, whose successors begin as its first
    layers.

    Args:
        source: A trained model.
        target: The model to fill.

    Returns:
        Names of the layers of the target that keep their initial weights: they have no counterpart,
        or one of other shapes.

    Example:

    >>> transfer_weights(trained, Seq2SeqTransformer(config_with_successors))
    []
    """
    given = _plain_layers(source)
    left = []
    for name, layer in _plain_layers(target).items():
        weights = []
        if name in given:
            with thawed(given[name]):
                weights = given[name].get_weights()
        with thawed(layer):
            if [w.shape for w in weights] == [w.shape for w in layer.get_weights()]:
                layer.set_weights(weights)
            else:
                left.append(name)
    for layers in (target.encoder_layers, getattr(target, "decoder_layers", ())):
        modules = [getattr(layer, "layer", layer) for layer in layers]
        if any(isinstance(module, TheseusModule) for module in modules):
            initialize_successors(modules)
    return left


def _plain_layers(transformer) -> dict[str, keras.layers.Layer]:
    """Layers with weights by name, unwrapped; successors are left out."""
    found = {}
    for layer in transformer.model.layers:
        name = layer.name
        if isinstance(layer, LayerDropWrapper):
            layer = layer.layer
        if isinstance(layer, TheseusModule):
            found |= {predecessor.name: predecessor for predecessor in layer.predecessors}
        elif layer.weights:
            found[name] = layer
    return found
