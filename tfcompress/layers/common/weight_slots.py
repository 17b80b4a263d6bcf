"""The matrices and tables inside layers: what is quantized, pruned and clustered.

A layer that holds such weights itself names them in `weight_channels`, with the axes of their
output channels. Everything else follows from walking through sub-layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.nested import named_layers


@dataclass(frozen=True)
class WeightSlot:
    """A place in a layer that holds a matrix or a table.

    Attributes:
        path: Path of the weight within the layer, such as "feed_forward/inner/kernel".
        owner: The layer whose attribute it is.
        attribute: The attribute.
        index: Which entry, where the attribute is a list.
        channels: Axes of the output channels of a matrix, or of the rows of a table.
        inputs: The axes that are summed over, one after another, or the one along a table's rows;
            none for grouped matrices.
        both_ways: Whether the matrix is also applied transposed.
    """

    path: str
    owner: keras.layers.Layer
    attribute: str
    index: int | None
    channels: tuple[int, ...]
    inputs: tuple[int, ...]
    both_ways: bool = False

    def get(self) -> tf.Tensor | tf.Variable:
        """Returns the weight, or what stands in its place."""
        value = getattr(self.owner, self.attribute)
        return value if self.index is None else value[self.index]

    def put(self, value: tf.Tensor | tf.Variable) -> None:
        """Puts something in the weight's place."""
        if self.index is not None:
            # A list of its own: Keras takes lists that changed for damaged.
            entries = list(getattr(self.owner, self.attribute))
            entries[self.index] = value
            value = entries
        setattr(self.owner, self.attribute, value)


def weight_slots(layer: keras.layers.Layer) -> list[WeightSlot]:
    """Returns the matrices and tables of a layer and of the layers within it, each once.

    Args:
        layer: A built layer: one of this library, or one that holds Keras' Dense, EinsumDense,
            Embedding or MultiHeadAttention layers.

    Example:

    >>> layer = tfc.layers.FeedForward(64)
    >>> layer.build((None, 16))
    >>> [slot.path for slot in weight_slots(layer)]
    ['inner/kernel', 'outer/kernel']
    """
    layers = named_layers(layer, keras.layers.Layer)
    both_ways = {
        id(matrix)
        for owner in layers.values()
        for matrix in getattr(owner, "applied_both_ways", lambda: ())()
    }
    slots = []
    for path, owner in layers.items():
        inside = "" if owner is layer else f"{path}/"
        for slot in _own(owner, inside, id(owner) in both_ways):
            slots.append(slot)
    return slots


def _own(owner, inside, both_ways) -> Iterator[WeightSlot]:
    for attribute, channels in _channels(owner).items():
        value = getattr(owner, attribute, None)
        if value is None:
            continue
        listed = isinstance(value, (list, tuple)) or type(value).__name__ == "ListWrapper"
        weights: list[tuple[int | None, Any]] = [(None, value)]
        for index, weight in enumerate(value) if listed else weights:
            rank = len(weight.shape)
            outputs = tuple(axis % rank for axis in channels)
            # The groups of a grouped matrix are neither: they share the scales of a channel.
            rest = [axis for axis in range(rank) if axis not in outputs and weight.shape[axis] > 1]
            summed = len(rest) == 1 or isinstance(owner, keras.layers.EinsumDense)
            inputs = tuple(rest) if summed and _adjacent(rest) else ()
            name = attribute if index is None else f"{attribute}_{index}"
            yield WeightSlot(f"{inside}{name}", owner, attribute, index, outputs, inputs, both_ways)


def _channels(owner) -> dict[str, tuple[int, ...]]:
    own = getattr(owner, "weight_channels", None)
    if own is not None:
        return own
    if isinstance(owner, keras.layers.EinsumDense):
        return {"kernel": _einsum_channels(owner.equation)}
    if isinstance(owner, keras.layers.Dense):
        return {"kernel": (-1,)}
    return {"embeddings": (0,)} if isinstance(owner, keras.layers.Embedding) else {}


def _adjacent(axes):
    return axes == list(range(axes[0], axes[-1] + 1)) if axes else False


def _einsum_channels(equation):
    """Axes of the kernel that its input does not have."""
    operands = equation.replace(" ", "").split("->")[0]
    inputs, kernel = operands.split(",")
    return tuple(axis for axis, name in enumerate(kernel) if name not in inputs)
