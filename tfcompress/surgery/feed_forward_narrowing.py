"""Removes the least important units of feed-forward networks."""

import contextlib
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.layers import FeedForward
from tfcompress.surgery.rebuilding import (
    Model,
    copy_sublayers,
    dense_weights,
    rebuild,
    set_dense,
    sides,
    unwrapped,
    with_stack,
)


def narrow_feed_forward(
    transformer: Model,
    intermediate_dim: int | Mapping[str, int],
    batches: Iterable[Mapping[str, Any]] | None = None,
) -> Model:
    """Returns a model with narrower feed-forward networks.

    A unit's importance is the norm of its row of the second matrix, times its mean absolute value
    on the batches where these are given, times the norm of its column of the first matrix where
    not. The most important ones are kept.

    Args:
        transformer: The model; it stays as it is.
        intermediate_dim: The new width; one for both sides or by side.
        batches: Inputs of `transformer.model` to measure on.

    Returns:
        The smaller model.

    Raises:
        InputError: If a width is below 1 or above what a layer has.

    Example:

    >>> smaller = tfc.surgery.narrow_feed_forward(transformer, 16, [inputs])
    """
    widths = intermediate_dim
    if not isinstance(widths, Mapping):
        widths = dict.fromkeys(sides(transformer.config), intermediate_dim)
    if unknown := set(widths) - set(sides(transformer.config)):
        names = " and ".join(sides(transformer.config))
        raise InputError(f"sides are {names} (received {', '.join(sorted(unknown))})")
    layers = {
        side: {
            layer.name: layer
            for layer in getattr(transformer, f"{side}_layers")
            if unwrapped(layer).feed_forward is not None
        }
        for side in widths
    }
    networks = {
        name: unwrapped(layer).feed_forward
        for found in layers.values()
        for name, layer in found.items()
    }
    for side, found in layers.items():
        least = min(networks[name].intermediate_dim for name in found)
        if not 1 <= widths[side] <= least:
            raise InputError(
                f"the feed-forward width of the {side} can be 1 to {least} "
                f"(received {widths[side]})"
            )
    importance = _importance(transformer, networks, batches)
    config, changed = transformer.config, {}
    for side, found in layers.items():
        feed_forward = getattr(config, side).feed_forward
        config = with_stack(
            config,
            side,
            feed_forward=dataclasses.replace(feed_forward, intermediate_dim=widths[side]),
        )
        for name, layer in found.items():
            kept = np.sort(np.argsort(-importance[name], kind="stable")[: widths[side]])
            changed[name] = _filler(layer, kept)
    return rebuild(transformer, config, changed=changed)


def _importance(transformer, networks: Mapping[str, FeedForward], batches):
    outgoing = {
        name: np.linalg.norm(dense_weights(network.outer)[0], axis=1)
        for name, network in networks.items()
    }
    if batches is None:
        return {
            name: norm * np.linalg.norm(dense_weights(networks[name].inner)[0], axis=0)
            for name, norm in outgoing.items()
        }
    sums = {name: np.zeros(len(norm)) for name, norm in outgoing.items()}
    with contextlib.ExitStack() as stack:
        recorded = {
            name: stack.enter_context(network.recording()) for name, network in networks.items()
        }
        for batch in batches:
            transformer.model(batch, training=False)
            for name, values in recorded.items():
                for value in values:
                    width = value.shape[-1]
                    sums[name] += np.abs(np.reshape(value, (-1, width))).sum(axis=0)
                values.clear()
    return {name: outgoing[name] * total for name, total in sums.items()}


def _filler(old, kept):
    def fill(new):
        source, target = unwrapped(old), unwrapped(new)
        copy_sublayers(source, target, except_for=["feed_forward"])
        kernel, bias = dense_weights(source.feed_forward.inner)
        bias = None if bias is None else bias[kept]
        set_dense(target.feed_forward.inner, kernel[:, kept], bias)
        kernel, bias = dense_weights(source.feed_forward.outer)
        set_dense(target.feed_forward.outer, kernel[kept], bias)

    return fill
