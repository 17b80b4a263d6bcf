"""Removes whole layers."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layer_selection import layer_drop_keep
from tfcompress.models import LayerDropConfig, SharingConfig, StackConfig
from tfcompress.models.config import layer_groups
from tfcompress.models.stacks import stack_parts
from tfcompress.surgery.kept_layers import keep_layers
from tfcompress.surgery.keras_models import refuse_own
from tfcompress.surgery.own_layer_dropping import drop_own_layers
from tfcompress.surgery.rebuilding import Model, rebuild, sides, unwrapped


def drop_layers(
    transformer: Any,
    *,
    keep: Mapping[str, Sequence[int]] | Sequence[str] | None = None,
    drop: Mapping[str, Sequence[int]] | Sequence[str] | None = None,
) -> Any:
    """Returns a model of fewer layers.

    A model trained with LayerDrop loses little; the new one has no LayerDrop. `every_other`,
    `search_layers` and the rates of a learned LayerDrop find layers to keep.

    Args:
        transformer: The model; it stays as it is. A Keras model of your own may be functional,
            sequential or subclassed.
        keep: Indices of the layers to keep, from 0, by side ("encoder", "decoder"). A side that
            neither `keep` nor `drop` names stays whole. Of a Keras model, names or paths of layers
            to keep among its encoder and decoder layers and those in a `LayerDropWrapper`.
        drop: Indices of the layers to drop, likewise. Of a Keras model, names or paths of any
            layers whose output has the shape of their input, which is passed on instead.

    Returns:
        The smaller model.

    Raises:
        InputError: If a side or layer does not exist or repeats, none is left, the layers of the
            stack are scaled by their place, or what is left of a shared stack is shared unevenly.

    Example:

    >>> smaller = tfc.surgery.drop_layers(transformer, drop={"decoder": [1]})

    Reference: Fan et al., 2020, arXiv:1909.11556.
    """
    if isinstance(transformer, keras.Model):
        return drop_own_layers(transformer, keep=keep, drop=drop)
    config, moved = transformer.config, {}
    for side, kept in _kept(config, keep or {}, drop or {}).items():
        stack = getattr(config, side)
        if stack.successors is not None:
            raise InputError(
                f"Layers that are being replaced cannot be dropped. Received: the {side} with "
                "successors. Call take_successors first."
            )
        new = _shorter(side, stack, kept)
        old_parts, new_parts = stack_parts(side, stack), stack_parts(side, new)
        layers = {layer.name: layer for layer in getattr(transformer, f"{side}_layers")}
        for layer_index, parts in zip(kept, new_parts):
            for old_part, new_part in zip(old_parts[layer_index], parts):
                moved[new_part.name] = unwrapped(layers[old_part.name])
        changes: dict[str, Any] = {side: new}
        loses_last = side == "decoder" and kept[-1:] != [stack.num_layers - 1]
        if loses_last and hasattr(config, "alignment_head"):
            changes["alignment_head"] = None
        config = config.replace(**changes)
    return rebuild(transformer, config, moved=moved)


def every_other(num_layers: int, *, rate: float = 0.5) -> list[int]:
    """Returns the indices of the layers that stay when every `floor(1 / rate)`-th is dropped.

    Args:
        num_layers: Layers of the stack.
        rate: About the part of the layers to drop, at most 0.5: 0.2 drops every fifth layer, 0.4
            every second one.

    Example:

    >>> tfc.surgery.every_other(6)
    [0, 2, 4]
    """
    return layer_drop_keep(num_layers, rate)


def search_layers(
    transformer: Model,
    score: Callable[[Model], float],
    *,
    encoder: int | None = None,
    decoder: int | None = None,
) -> dict[str, list[int]]:
    """Finds the layers to keep on validation data, by taking away one at a time.

    Args:
        transformer: The model; it stays as it is.
        score: What to keep high, such as BLEU on validation sentences; called once for each
            candidate.
        encoder: Layers that the encoder shall have; None for all it has.
        decoder: The same for the decoder.

    Returns:
        Indices of the layers to keep by side, as `keep` of `drop_layers`.

    Raises:
        InputError: If a number of layers is impossible.

    Example:

    >>> kept = tfc.surgery.search_layers(transformer, bleu_of, decoder=1)
    >>> smaller = tfc.surgery.drop_layers(transformer, keep=kept)
    """
    refuse_own(
        transformer,
        "search_layers",
        "counts the layers of an encoder and a decoder. Score models that drop_layers makes, with "
        "the names of their layers.",
    )
    wanted = _by_side(transformer, encoder, decoder)
    kept = {side: list(range(getattr(transformer.config, side).num_layers)) for side in wanted}
    for side, count in wanted.items():
        if count is not None and not 1 <= count <= len(kept[side]):
            raise InputError(
                f"`{side}` must lie between 1 and its {len(kept[side])} layers. Received: "
                f"{side}={count}."
            )
    for side, count in wanted.items():
        while count is not None and len(kept[side]) > count:
            candidates = [
                [index for index in kept[side] if index != dropped] for dropped in kept[side]
            ]
            kept[side] = max(
                candidates,
                key=lambda indices, side=side: score(
                    drop_layers(transformer, keep={**kept, side: indices})
                ),
            )
    return kept


def _by_side(transformer, encoder, decoder):
    """What is wanted of each side that the model has."""
    wanted, known = {"encoder": encoder, "decoder": decoder}, sides(transformer.config)
    for side, count in wanted.items():
        if count is not None and side not in known:
            raise InputError(
                f"`{side}` is for models with such a side only. Received: {side}={count!r}."
            )
    return {side: wanted[side] for side in known}


def _kept(config, keep, drop):
    """The indices of the layers that stay, by side."""
    known = sides(config)
    for name, indices in (("keep", keep), ("drop", drop)):
        if unknown := sorted(set(indices) - set(known)):
            raise InputError(
                f"`{name}` must name sides of the model, {' and '.join(known)}. Received: "
                f"{name}={unknown}."
            )
    if both := sorted(set(keep) & set(drop)):
        raise InputError(
            f"`keep` and `drop` cannot go together for one side. Received: both for the {both[0]}. "
            "Give one of them."
        )
    kept = {}
    for side in known:
        count = getattr(config, side).num_layers
        dropped = _checked(side, count, drop.get(side, ()))
        kept[side] = _checked(side, count, keep.get(side, range(count)))
        kept[side] = [index for index in kept[side] if index not in dropped]
        if not kept[side]:
            raise InputError(
                f"The {side} would lose all its layers. Received: {count} to drop. Keep at least "
                "one."
            )
    return kept


def _checked(side, count, indices):
    if wrong := [index for index in indices if index not in range(count)]:
        raise InputError(f"The {side} has only layers 0 to {count - 1}. Received: {wrong}.")
    if len(set(indices)) < len(indices):
        raise InputError(f"Layers of the {side} must not repeat. Received: {list(indices)}.")
    return sorted(indices)


def _shorter(side: str, stack: StackConfig, kept: list[int]) -> StackConfig:
    """The stack of the layers that are kept, its layers shared as before."""
    if stack.attention.layers_differ and len(kept) < stack.num_layers:
        raise InputError(
            f"Layers that are scaled by their place cannot be dropped. Received: the {side} with "
            f"mixer={stack.attention.mixer}."
        )
    new = dataclasses.replace(keep_layers(stack, kept), layer_drop=LayerDropConfig())
    old = [[groups[index] for index in kept] for groups in layer_groups(stack)]
    wanted = tuple([sorted(set(groups)).index(group) for group in groups] for groups in old)
    count = max(
        (len(set(groups)) for groups in wanted if len(set(groups)) < len(groups)), default=1
    )
    for pattern in dict.fromkeys(("none", stack.sharing.pattern)):
        candidate = dataclasses.replace(new, sharing=SharingConfig(pattern, groups=count))
        if layer_groups(candidate) == wanted:
            return candidate
    raise InputError(
        f"The {side}'s layers would be shared unevenly. Received: layers {kept} to keep. Keep as "
        "many of each group."
    )
