"""Ends a BERT-of-Theseus replacement."""

import dataclasses
from typing import Any

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import TheseusModule
from tfcompress.layers.common.nested import named_layers
from tfcompress.models import LayerDropConfig, SharingConfig, StackConfig
from tfcompress.models.cloning import copy_model, rename, replace_layers
from tfcompress.surgery.kept_layers import keep_layers
from tfcompress.surgery.keras_models import check_own
from tfcompress.surgery.rebuilding import rebuild, sides


def take_successors(transformer: Any) -> Any:
    """Returns the model that the successors of a Theseus replacement make.

    It computes what the old one computes at inference, without the predecessors.

    Args:
        transformer: A model with `successors` in its encoder, its decoder or both; or a Keras model
            of your own, functional, sequential or subclassed, with `TheseusModule` layers at any
            place, whose names the successors take. It stays as it is.

    Returns:
        The smaller model.

    Raises:
        InputError: If nothing is being replaced.

    Example:

    >>> smaller = tfc.surgery.take_successors(theseus_transformer)

    Reference: Xu et al., 2020, arXiv:2002.02925.
    """
    if isinstance(transformer, keras.Model):
        return _take_in_own(transformer)
    config, moved = transformer.config, {}
    for side in sides(transformer.config):
        stack = getattr(config, side)
        if stack.successors is None:
            continue
        config = config.replace(**{side: _replaced(stack)})
        for i, module in enumerate(getattr(transformer, f"{side}_layers")):
            module = getattr(module, "layer", module)
            moved[f"{side}_layer_{i}"] = module.successor
    if not moved:
        raise InputError(
            "take_successors needs a model with successors. Received: "
            f"none in the {' and '.join(sides(transformer.config))}."
        )
    return rebuild(transformer, config, moved=moved)


def _take_in_own(model):
    check_own(model, "take_successors")
    if not named_layers(model, TheseusModule):
        raise InputError(
            f"take_successors needs TheseusModule layers. Received: {model.name} with none. Put "
            "predecessors and successors in such modules."
        )
    copy = copy_model(model)
    modules = named_layers(copy, TheseusModule).values()
    for module in modules:
        rename(module.successor, module.name)
    return replace_layers(copy, {id(module): module.successor for module in modules})


def _replaced(stack: StackConfig) -> StackConfig:
    """The stack of the successors alone: each is made like the layer of its own place."""
    count = stack.successors
    assert count is not None
    if stack.attention.layers_differ:
        raise InputError(
            "Successors can be taken only where the layers of a stack are alike. Received: "
            f"mixer={stack.attention.mixer}, scaled by place."
        )
    return keep_layers(
        dataclasses.replace(
            stack, successors=None, sharing=SharingConfig(), layer_drop=LayerDropConfig()
        ),
        list(range(count)),
    )
