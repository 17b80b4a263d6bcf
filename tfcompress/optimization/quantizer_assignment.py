"""Which weights are quantized, on which grids, and which are not, and why."""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.grids import MIN_ELEMENTS, Grid, check_bits
from tfcompress.layers.common.weight_slots import WeightSlot, weight_slots
from tfcompress.models.cloning import leaf_layers


@dataclass(frozen=True)
class AssignedWeight:
    """A weight and the grid that it is assigned.

    Attributes:
        layer: Name of the model's layer that it belongs to, after those of models it is within.
        path: Its path within the layer.
        shape: Its shape.
        grid: The grid, or None if it stays in float32.
        reason: Why it stays, or why it has other bits than asked for; empty otherwise.
    """

    layer: str
    path: str
    shape: tuple[int, ...]
    grid: Grid | None
    reason: str = ""

    @property
    def size(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class QuantizerAssignment:
    """What becomes of every weight of a model.

    Attributes:
        weights: Matrices and tables in the order of the model.
        others: Number of parameters that are no matrix or table, which stay in float32.
    """

    weights: tuple[AssignedWeight, ...]
    others: int

    def grids(self, layer: str) -> dict[str, Grid]:
        """Returns the grids of a layer's weights by path.

        Args:
            layer: Its name.
        """
        return {
            weight.path: weight.grid
            for weight in self.weights
            if weight.layer == layer and weight.grid is not None
        }

    def with_one_scale(
        self, places: Mapping[str, Container[str]], reason: str
    ) -> "QuantizerAssignment":
        """Returns the assignment with one scale of 8 bits for each of some weights.

        Args:
            places: Their paths, by layer.
            reason: Why.
        """
        weights = (
            replace(weight, grid=Grid(8, channels=()), reason=reason)
            if weight.path in places.get(weight.layer, ())
            else weight
            for weight in self.weights
        )
        return replace(self, weights=tuple(weights))

    def __str__(self) -> str:
        lines = []
        for weight in self.weights:
            place = f"{weight.layer}/{weight.path}"
            what = "float32" if weight.grid is None else _in_words(weight.grid)
            reason = f" ({weight.reason})" if weight.reason else ""
            lines.append(f"{place}  {'x'.join(map(str, weight.shape))}  {what}{reason}")
        quantized = sum(weight.size for weight in self.weights if weight.grid is not None)
        total = self.others + sum(weight.size for weight in self.weights)
        lines.append(f"{quantized:,} of {total:,} parameters are quantized")
        return "\n".join(lines)


def assign_quantizers(
    model: keras.Model, bits: int = 8, *, block_size: int | None = None, skip: str | None = None
) -> QuantizerAssignment:
    """Decides which weights are quantized, on which grids.

    Every matrix has a scale for each output channel, every table one for each row, or, with
    `block_size`, one for each block of so many weights along a channel's inputs. Small weights
    stay in float32, as they do in a bundle. A matrix that is applied in both directions (the
    projection of a factorized embedding with `tie="shared"`) has 8 bits and one scale. With 4
    bits, grouped matrices, and those whose inputs do not divide into blocks, have 8.

    Args:
        model: A built model, or a plain layer.
        bits: 8 or 4.
        block_size: With 4 bits, 32, as bundles have; None for a scale for each channel.
        skip: Regular expression; weights that it is found in stay in float32. It is searched for in
            the layer's name, a slash and the weight's path.

    Returns:
        The assignment; `str` of it is a list for people.

    Raises:
        InputError: If `bits` or `block_size` are impossible, or nothing matches `skip`.

    Example:

    >>> assignment = tfc.optimization.assign_quantizers(transformer.model)
    """
    check_bits(bits, block_size)
    skipped = None if skip is None else compile_expression("skip", skip)
    weights, matched = [], False
    for name, layer in leaf_layers(model).items():
        for slot in weight_slots(layer):
            shape = tuple(slot.get().shape)
            grid, reason = _grid(slot, shape, bits, block_size)
            if skipped is not None and skipped.search(f"{name}/{slot.path}"):
                grid, reason, matched = None, "skipped", True
            weights.append(AssignedWeight(name, slot.path, shape, grid, reason))
    if skipped is not None and not matched:
        raise InputError(
            f"`skip` must match a weight. Received: skip={skip!r}. There are "
            f"{', '.join(f'{weight.layer}/{weight.path}' for weight in weights)}."
        )
    others = model.count_params() - sum(weight.size for weight in weights)
    return QuantizerAssignment(tuple(weights), others)


def _grid(slot: WeightSlot, shape, bits, block_size) -> tuple[Grid | None, str]:
    if math.prod(shape) < MIN_ELEMENTS:
        return None, f"fewer than {MIN_ELEMENTS:,} weights"
    if slot.both_ways:
        return Grid(8, channels=()), "applied in both directions: one scale"
    if bits == 8:
        return Grid(8, channels=slot.channels), ""
    if not slot.inputs:
        return Grid(8, channels=slot.channels), "grouped: 8 bits"
    inputs = math.prod(shape[axis] for axis in slot.inputs)
    if inputs % (block_size or 2):
        return Grid(
            8, channels=slot.channels
        ), f"{inputs} inputs do not divide by {block_size or 2}: 8 bits"
    if block_size is None:
        return Grid(4, channels=slot.channels), ""
    return Grid(4, channels=slot.channels, block_size=block_size, inputs=slot.inputs), ""


def _in_words(grid: Grid) -> str:
    if grid.block_size is not None:
        return f"int{grid.bits}, blocks of {grid.block_size}"
    return f"int{grid.bits}" if grid.channels else f"int{grid.bits}, one scale"
