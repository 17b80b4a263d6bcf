"""Removes attention heads for good."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import LSRA, MultiHeadAttention
from tfcompress.layers.common.nested import by_name, named_layers
from tfcompress.models.alignment import alignment_attention
from tfcompress.models.cloning import copy_model, replace_layers
from tfcompress.models.copying import copy_weights
from tfcompress.surgery.keras_models import check_own, rebuilt_layer
from tfcompress.surgery.rebuilding import (
    Model,
    copy_sublayers,
    dense_weights,
    one_or_each,
    rebuild,
    set_dense,
    sides,
    unwrapped,
    with_stack,
)


def attention_layers(
    transformer: Model | keras.Model,
) -> dict[str, MultiHeadAttention | keras.layers.MultiHeadAttention]:
    """Returns the attention layers whose heads can be removed, by name.

    Args:
        transformer: Any, or a Keras model of your own, whose layers may also be Keras'
            `MultiHeadAttention`; where several have one name, they go by their paths in the model.

    Example:

    >>> list(tfc.surgery.attention_layers(transformer))[:2]
    ['encoder_layer_0_self_attention', 'encoder_layer_1_self_attention']
    """
    if isinstance(transformer, keras.Model):
        layer_types = (MultiHeadAttention, keras.layers.MultiHeadAttention)
        return by_name(named_layers(transformer, layer_types))
    attentions = {}
    for side in sides(transformer.config):
        for layer in getattr(transformer, f"{side}_layers"):
            for _, attention in _attentions(unwrapped(layer), side):
                attentions[attention.name] = attention
    return attentions


def prune_heads(transformer: Any, *, drop: Mapping[str, Sequence[int]] | None = None) -> Any:
    """Returns a model without some of the attention heads.

    The columns of the heads leave the projections of queries, keys and values, their rows the
    output projection: what masking the heads gives, at less cost.

    Args:
        transformer: The model; it stays as it is. A Keras model of your own may be functional,
            sequential or subclassed; a subclassed one is made again from its `get_config`. Where a
            class of yours makes its attention itself, from numbers in its configuration, those stay
            as they were: a `.keras` file of the result does not load, unlike saved weights and what
            `convert` writes. Layers that are passed in, as in this library, have no such limit.
        drop: Numbers of the heads to remove, from 0, by the names of `attention_layers`. None
            for the heads whose gates are 0, of a model with gates (as `HeadPruner` leaves it).
            Gates are multiplied into the output projection; the new model has none.

    Returns:
        The smaller model.

    Raises:
        InputError: If a name or number does not exist, a layer would lose all its heads, or the
            model has no gates although no heads are given.

    Example:

    >>> smaller = tfc.surgery.prune_heads(
    ...     transformer, drop={"encoder_layer_0_self_attention": [1, 3]}
    ... )

    Reference: Michel et al., 2019, arXiv:1905.10650.
    """
    attentions = attention_layers(transformer)
    removed = _closed(attentions) if drop is None else _checked(drop, attentions)
    kept = {
        name: [h for h in range(_heads(attention)) if h not in removed.get(name, ())]
        for name, attention in attentions.items()
    }
    for name, rest in kept.items():
        if not rest:
            raise InputError(
                f"{name} would lose all its heads. Received: {_heads(attentions[name])} to drop. "
                "Keep at least one."
            )
    if isinstance(transformer, keras.Model):
        check_own(transformer, "prune_heads")
        copy = copy_model(transformer)
        replacements = {
            id(attention): _pruned(attention, kept[name])
            for name, attention in attention_layers(copy).items()
            if len(kept[name]) < _heads(attention) or getattr(attention, "gated", False)
        }
        return replace_layers(copy, replacements)
    config, changed = transformer.config, {}
    head = getattr(config, "alignment_head", None)
    if head is not None:
        config = config.replace(alignment_head=None)
    for side in sides(transformer.config):
        layers = getattr(transformer, f"{side}_layers")
        config = _with_heads(config, side, [unwrapped(layer) for layer in layers], kept)
        for layer in layers:
            changed[layer.name] = _filler(layer, side, kept)
    rest = [] if head is None else kept[alignment_attention(transformer).name]
    if head in rest:
        config = config.replace(alignment_head=rest.index(head))
    return rebuild(transformer, config, changed=changed)


def _attentions(layer: Any, side: str) -> Iterator[tuple[str, MultiHeadAttention]]:
    """Yields the place of each attention inside a layer, and the attention."""
    for place in ("attention",) if side == "encoder" else ("self_attention", "cross_attention"):
        attention = getattr(layer, place, None)
        if isinstance(attention, LSRA):
            attention = attention.attention
        if isinstance(attention, MultiHeadAttention):
            yield place, attention


def _closed(attentions):
    gated = {name: a for name, a in attentions.items() if getattr(a, "gated", False)}
    if not gated:
        raise InputError(
            "Heads to remove must be named where no attention has gates. Received: drop=None. "
            "Pass `drop`."
        )
    return {name: np.flatnonzero(np.asarray(a.gates) == 0).tolist() for name, a in gated.items()}


def _checked(heads, attentions):
    for name, numbers in heads.items():
        if name not in attentions:
            raise InputError(
                "`drop` must name attention layers whose heads can be removed. Received: "
                f"{name!r}. There are {', '.join(attentions) or 'none'}."
            )
        size = _heads(attentions[name])
        if wrong := [h for h in numbers if not 0 <= h < size]:
            raise InputError(
                f"`drop` must name heads 0 to {size - 1} of {name}. Received: {wrong}."
            )
    return {name: set(numbers) for name, numbers in heads.items()}


def _with_heads(config, side, layers, kept):
    """Returns the configuration with the heads of one side that are kept."""
    stack = getattr(config, side)
    places = {}
    for layer in layers:
        for place, attention in _attentions(layer, side):
            places.setdefault(place, []).append(attention)
    changes = {}
    for place, attentions in places.items():
        across = place == "cross_attention"
        part = stack.memory_attention if across else stack.attention
        changes["cross_attention" if across else "attention"] = part.with_heads(
            one_or_each([len(kept[attention.name]) for attention in attentions]),
            attentions[0].query.units // attentions[0].num_heads,
        )
    attends = side == "decoder" and hasattr(config, "encoder")
    if attends and "attention" in changes and "cross_attention" not in changes:
        changes["cross_attention"] = stack.memory_attention
    return with_stack(config, side, **changes)


def _filler(old, side, kept) -> Callable[[keras.layers.Layer], None]:
    def fill(new):
        source, target = unwrapped(old), unwrapped(new)
        pruned = dict(_attentions(target, side))
        copy_sublayers(source, target, except_for=pruned)
        for name, attention in _attentions(source, side):
            _copy_heads(attention, pruned[name], kept[attention.name])
            layer = getattr(source, name)
            if isinstance(layer, LSRA):
                copy_weights(layer.convolution, getattr(target, name).convolution)

    return fill


def _copy_heads(source: MultiHeadAttention, target: MultiHeadAttention, kept: list[int]) -> None:
    heads = source.num_heads

    def columns(kernel):
        return kernel.reshape(len(kernel), heads, -1)[:, kept].reshape(len(kernel), -1)

    for name in ("query", "key", "value"):
        kernel, bias = dense_weights(getattr(source, name))
        bias = None if bias is None else columns(bias[np.newaxis])[0]
        set_dense(getattr(target, name), columns(kernel), bias)
    kernel, bias = dense_weights(source.output_projection)
    rows = kernel.reshape(heads, -1, kernel.shape[1])
    if source.gated:
        rows = rows * np.asarray(source.gates)[:, np.newaxis, np.newaxis]
    set_dense(target.output_projection, rows[kept].reshape(-1, kernel.shape[1]), bias)


def _heads(attention):
    if isinstance(attention, MultiHeadAttention):
        return attention.num_heads
    return attention.get_config()["num_heads"]


def _pruned(attention, kept):
    """An attention layer with some of another's heads."""
    if isinstance(attention, MultiHeadAttention):
        changes = {"num_heads": len(kept), "head_dim": attention._head_dim, "gated": False}
        changes["output_dim"] = attention.output_projection.units
        width = attention.query.kernel.shape[0]
        new = rebuilt_layer(attention, changes, input_shape=(None, None, width))
        _copy_heads(attention, new, kept)
        return new
    # Keras 2 builds it where it is made, from what its configuration says.
    build = attention.get_build_config()["shapes_dict"] if hasattr(keras, "ops") else {}
    new = rebuilt_layer(attention, {"num_heads": len(kept)}, **build)
    for name in ("_query_dense", "_key_dense", "_value_dense", "_output_dense"):
        source, target = getattr(attention, name), getattr(new, name)
        if not target.built:  # of Keras 2
            shape = list(source._build_input_shape)
            shape[-2] = len(kept) if name == "_output_dense" else shape[-2]
            target.build(shape)
        if name == "_output_dense":
            kernel, *bias = source.get_weights()
            target.set_weights([kernel[kept], *bias])
        else:
            target.set_weights([weight.take(kept, axis=-2) for weight in source.get_weights()])
    return new
