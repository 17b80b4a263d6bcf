"""Weights from one model to another, layer by layer."""

from typing import TypeVar

from tensorflow import keras

from tfcompress.layers import LayerDropWrapper, TheseusModule, initialize_successors
from tfcompress.layers.common.thawing import thawed
from tfcompress.models.classes import ClassMatch, match_classes
from tfcompress.models.language_model import LanguageModel
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.models.text_encoder import TextEncoder
from tfcompress.models.text_encoder_config import TextEncoderConfig

_HIDDEN, _OUTPUT = "head_hidden", "head_output"

Model = TypeVar("Model", Seq2SeqTransformer, TextEncoder, LanguageModel)


def transfer_weights(source: Model, target: Model) -> list[str]:
    """Gives a model the weights of the layers of another that have the same names and shapes.

    Layers inside LayerDrop wrappers and modules that are being replaced count too; so a trained
    model becomes the predecessor of a model with `successors`, whose successors begin as its first
    layers. The output layer of a head takes over its classes by their names (see `match_head`).

    Args:
        source: A trained model.
        target: The model to fill.

    Returns:
        Names of the layers of the target that keep their initial weights: they have no counterpart,
        one of other shapes, or one of other classes.

    Example:

    >>> transfer_weights(transformer, Seq2SeqTransformer(transformer.config))
    []
    """
    sources = _plain_layers(source)
    left = []
    for name, layer in _plain_layers(target).items():
        weights = []
        if name in sources:
            with thawed(sources[name]):
                weights = sources[name].get_weights()
            weights = _for_head(name, weights, source.config, target.config)
        with thawed(layer):
            if [w.shape for w in weights] == [w.shape for w in layer.get_weights()]:
                layer.set_weights(weights)
            else:
                left.append(name)
    for layers in (getattr(target, f"{side}_layers", ()) for side in ("encoder", "decoder")):
        modules = [getattr(layer, "layer", layer) for layer in layers]
        if any(isinstance(module, TheseusModule) for module in modules):
            initialize_successors(modules)
    return left


def match_head(source: TextEncoderConfig, target: TextEncoderConfig) -> ClassMatch:
    """Finds the classes of a text encoder's head in the head whose weights it begins with.

    Args:
        source: The trained model's configuration.
        target: That of the model to fill, with a head.

    Returns:
        The match; no classes match where the heads read texts differently.
    """
    assert target.head is not None
    match = match_classes(source.head, target.head)
    if (
        source.head is not None
        and match.order is not None
        and not _read_alike(source.head, target.head)
    ):
        settings = (
            f"pooling {source.head.pooling}, hidden_activation {source.head.hidden_activation}"
        )
        return ClassMatch(None, f"a head that reads texts differently ({settings})")
    return match


def _for_head(name, weights, source, target):
    """The weights that a layer takes, if it is one of a head."""
    if name == _HIDDEN and not _read_alike(source.head, target.head):
        return []
    if name == _OUTPUT:
        order = match_head(source, target).order
        return [] if order is None else [w[..., list(order)] for w in weights]
    return weights


def _read_alike(one, other):
    names = ["per_token", "hidden_activation"] + ["pooling"] * (not one.per_token)
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _plain_layers(transformer) -> dict[str, keras.layers.Layer]:
    """Layers with weights by name, unwrapped; successors are left out."""
    plain = {}
    for layer in transformer.model.layers:
        name = layer.name
        if isinstance(layer, LayerDropWrapper):
            layer = layer.layer
        if isinstance(layer, TheseusModule):
            plain |= {predecessor.name: predecessor for predecessor in layer.predecessors}
        elif layer.weights:
            plain[name] = layer
    return plain
