"""How surgery makes a new model out of the weights of an old one."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import (
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
)
from tfcompress.models.copying import copy_weights

Model = TypeVar("Model", Seq2SeqTransformer, TextEncoder)
Config = TypeVar("Config", Seq2SeqConfig, TextEncoderConfig)


def sides(config: Seq2SeqConfig | TextEncoderConfig) -> tuple[str, ...]:
    """Returns which of "encoder" and "decoder" a model has.

    Args:
        config: The model's.
    """
    return tuple(side for side in ("encoder", "decoder") if hasattr(config, side))


def rebuild(
    transformer: Model,
    config: Seq2SeqConfig | TextEncoderConfig,
    *,
    changed: Mapping[str, Callable[[keras.layers.Layer], None]] | None = None,
    moved: Mapping[str, keras.layers.Layer] | None = None,
) -> Model:
    """Builds a model of a new configuration with the weights of an old one.

    Args:
        transformer: The old model; it stays as it is.
        config: The new configuration.
        changed: Functions that fill layers of the new model, by name.
        moved: Layers of the old model whose weights other layers take, by the new names.

    Returns:
        The new model; each layer that is neither changed nor moved takes the weights of the layer
        of the same name.
    """
    changed, moved = changed or {}, moved or {}
    model_class: Any = type(transformer)
    new = model_class(config)
    old_layers = {layer.name: layer for layer in transformer.model.layers}
    for layer in new.model.layers:
        if layer.name in changed:
            changed[layer.name](layer)
        elif layer.weights:
            copy_weights(moved.get(layer.name) or old_layers[layer.name], layer)
    return new


def with_stack(config: Config, side: str, **changes) -> Config:
    """Returns a configuration with another encoder or decoder.

    Args:
        config: The configuration.
        side: "encoder" or "decoder".
        **changes: New values by attribute of the stack.
    """
    stack: StackConfig = getattr(config, side)
    return config.replace(**{side: dataclasses.replace(stack, **changes)})


def unwrapped(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Returns the layer inside a LayerDrop wrapper, or the layer itself.

    Args:
        layer: A layer of a stack.

    Raises:
        InputError: If it is a module that is being replaced.
    """
    layer = getattr(layer, "layer", layer)
    if hasattr(layer, "successor"):
        raise InputError(
            f"A layer that is being replaced cannot be changed. Received: {layer.name}. Call "
            "take_successors first."
        )
    return layer


def copy_sublayers(
    source: keras.layers.Layer, target: keras.layers.Layer, *, except_for: Iterable[str]
) -> None:
    """Copies the sub-layers of an encoder or decoder layer and their normalizations.

    Args:
        source: Where from.
        target: Where to; built.
        except_for: Names of sub-layers that are not copied; their normalizations are.
    """
    for name in ("transform", *source.sublayer_names):
        for part in (name, f"{name}_normalization"):
            layer = getattr(source, part, None)
            if layer is not None and part not in except_for:
                copy_weights(layer, getattr(target, part))


def set_dense(
    layer: keras.layers.Layer, kernel: np.ndarray, bias: np.ndarray | None = None
) -> None:
    """Gives a dense layer its kernel and, where it has one, its bias.

    Args:
        layer: The layer; built.
        kernel: `[input_dim, units]`.
        bias: `[units]`.
    """
    layer.set_weights([kernel] if bias is None else [kernel, bias])


def dense_weights(layer: keras.layers.Layer) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns a dense layer's kernel and, where it has one, its bias.

    Args:
        layer: The layer.
    """
    weights = layer.get_weights()
    return weights[0], weights[1] if len(weights) > 1 else None


def one_or_each(values: list) -> object:
    """Returns the value of a list whose values are all equal, or else all of them.

    Args:
        values: One value for each layer.
    """
    return values[0] if len(set(values)) == 1 else tuple(values)
