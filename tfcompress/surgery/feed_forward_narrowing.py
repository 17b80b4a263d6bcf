"""Removes the least important units of feed-forward networks."""

import contextlib
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import FeedForward
from tfcompress.layers.common.nested import by_name, named_layers
from tfcompress.models.cloning import copy_model, replace_layers
from tfcompress.surgery.keras_models import check_own, rebuilt_layer
from tfcompress.surgery.rebuilding import (
    copy_sublayers,
    dense_weights,
    rebuild,
    set_dense,
    sides,
    unwrapped,
    with_stack,
)


def narrow_feed_forward(
    transformer: Any,
    intermediate_dim: int | Mapping[str, int],
    batches: Iterable[Any] | None = None,
) -> Any:
    """Returns a model with narrower feed-forward networks.

    A unit's importance is the norm of its row of the second matrix, times its mean absolute value
    on the batches where these are given, times the norm of its column of the first matrix where
    not. The most important ones are kept.

    Args:
        transformer: The model; it stays as it is. In a Keras model of your own, functional,
            sequential or subclassed, the `FeedForward` layers at any nesting level are narrowed.
        intermediate_dim: The new width; one for both sides or by side. Of a Keras model, one for
            all `FeedForward` layers or by their names, by their paths where several have one name;
            others stay as they are.
        batches: Inputs of `transformer.model`, or of the Keras model, to measure on.

    Returns:
        The smaller model.

    Raises:
        InputError: If a width is below 1 or above what a layer has.

    Example:

    >>> smaller = tfc.surgery.narrow_feed_forward(transformer, 16, [inputs])
    """
    if isinstance(transformer, keras.Model):
        return _narrow_own(transformer, intermediate_dim, batches)
    widths = _width_of_each(intermediate_dim, sides(transformer.config))
    if unknown := set(widths) - set(sides(transformer.config)):
        names = " and ".join(sides(transformer.config))
        raise InputError(
            f"`intermediate_dim` must name sides of the model, {names}. Received: "
            f"{', '.join(sorted(unknown))}."
        )
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
        for own in layers.values()
        for name, layer in own.items()
    }
    for side, own in layers.items():
        least = min(networks[name].intermediate_dim for name in own)
        if not 1 <= widths[side] <= least:
            raise InputError(
                f"The feed-forward width of the {side} must lie between 1 and {least}. Received: "
                f"intermediate_dim={widths[side]}."
            )
    importance = _importance(transformer.model, networks, batches)
    config, changed = transformer.config, {}
    for side, own in layers.items():
        feed_forward = getattr(config, side).feed_forward
        config = with_stack(
            config,
            side,
            feed_forward=dataclasses.replace(feed_forward, intermediate_dim=widths[side]),
        )
        for name, layer in own.items():
            changed[name] = _filler(layer, _kept(importance[name], widths[side]))
    return rebuild(transformer, config, changed=changed)


def _width_of_each(width: int | Mapping[str, int], names: Iterable[str]) -> Mapping[str, int]:
    return width if isinstance(width, Mapping) else dict.fromkeys(names, width)


def _narrow_own(model, intermediate_dim, batches):
    check_own(model, "narrow_feed_forward")
    networks = by_name(named_layers(model, FeedForward))
    if not networks:
        raise InputError(
            f"narrow_feed_forward needs FeedForward layers. Received: {model.name} with none. "
            "Make its feed-forward networks with tfcompress.layers.FeedForward."
        )
    widths = _width_of_each(intermediate_dim, networks)
    for name, width in widths.items():
        if name not in networks:
            raise InputError(
                f"`intermediate_dim` must name FeedForward layers. Received: {name!r}. Give some "
                f"of {', '.join(networks)}."
            )
        if not 1 <= width <= networks[name].intermediate_dim:
            raise InputError(
                f"A width can be 1 to {networks[name].intermediate_dim}. Received: {width} for "
                f"{name}. Give one that this layer has."
            )
    copy = copy_model(model)
    copies = by_name(named_layers(copy, FeedForward))
    networks = {name: copies[name] for name in widths}
    importance = _importance(copy, networks, batches)
    return replace_layers(
        copy,
        {
            id(network): _narrowed(network, _kept(importance[name], widths[name]))
            for name, network in networks.items()
        },
    )


def _narrowed(network, kept):
    width = network.inner.kernel.shape[0]
    changes = {"intermediate_dim": len(kept)}
    new = rebuilt_layer(network, changes, input_shape=(None, None, width))
    _copy_units(network, new, kept)
    return new


def _importance(model, networks: Mapping[str, FeedForward], batches):
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
            model(batch, training=False)
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
        _copy_units(source.feed_forward, target.feed_forward, kept)

    return fill


def _kept(importance, width):
    return np.sort(np.argsort(-importance, kind="stable")[:width])


def _copy_units(source, target, kept):
    kernel, bias = dense_weights(source.inner)
    set_dense(target.inner, kernel[:, kept], None if bias is None else bias[kept])
    kernel, bias = dense_weights(source.outer)
    set_dense(target.outer, kernel[kept], bias)
