"""Widths and groups of DeLighT's and DeFINE's transforms, block by block and layer by layer.

Plain arithmetic, so that configurations and counts need no TensorFlow.
"""

import math
from dataclasses import dataclass

from tfcompress.errors import InputError

# Widths between grouped layers are multiples of this, or of a larger number of groups.
_WIDTH_MULTIPLE = 8


@dataclass(frozen=True)
class GroupSchedule:
    """What the grouped layers of a transform look like, one entry a layer.

    Attributes:
        inputs: Input widths. From the second layer on, the transform's own input is part of them.
        outputs: Output widths.
        groups: Numbers of groups.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    groups: tuple[int, ...]


def dextra_schedule(
    projection_dim: int, output_dim: int, max_width: float, num_layers: int, max_groups: int
) -> GroupSchedule:
    """Returns the grouped layers of a DExTra block.

    The number of groups doubles from 2 up to `max_groups` and the width grows evenly up to
    `max_width`, both until the middle layer; then they go back the same way. Widths are rounded up
    to multiples of 8 and of the groups on both sides. In the paper the first layer has one group;
    this is the released code, whose parameter counts are the published ones.

    Args:
        projection_dim: Width of the transform's input.
        output_dim: Width of the last layer.
        max_width: Largest width, before rounding.
        num_layers: Number of grouped layers, at least 2.
        max_groups: Largest number of groups.

    Returns:
        The schedule.

    Raises:
        ValueError: If a value is impossible or a number of groups does not divide a width.

    Example:

    >>> dextra_schedule(128, 128, 512, num_layers=4, max_groups=8).outputs
    (128, 512, 512, 128)

    Reference: Mehta et al., 2021, arXiv:2008.00623.
    """
    values = _check(projection_dim, output_dim, max_width, num_layers, max_groups)
    middle = (num_layers + 1) // 2
    groups = [min(2 ** (i + 1), max_groups) for i in range(middle)]
    widths = _spread(projection_dim, max_width, middle)
    mirrored = slice(num_layers % 2, None)
    groups += groups[::-1][mirrored]
    widths += widths[::-1][mirrored]
    return _schedule(projection_dim, widths[:-1], output_dim, groups, values)


def define_schedule(
    projection_dim: int,
    output_dim: int,
    max_width: float,
    num_layers: int,
    max_groups: int,
    released: bool = False,
) -> GroupSchedule:
    """Returns the grouped layers of DeFINE's transform.

    The width grows evenly up to `max_width`, then the last layer reduces it. The number of groups
    halves from layer to layer, `max(max_groups // 2**layer, 1)`, so that later layers see more at
    once.

    Args:
        projection_dim: Width of the transform's input.
        output_dim: Width of the last layer.
        max_width: Largest width, before rounding.
        num_layers: Number of grouped layers, at least 2.
        max_groups: Largest number of groups.
        released: Whether to take the groups from the released code rather than from the paper:
            halving goes round, from 1 back to the largest, and ends with 1 at the last layer. Both
            are the same where `num_layers` is `log2(max_groups) + 1`.

    Returns:
        The schedule.

    Raises:
        ValueError: If a value is impossible or a number of groups does not divide a width.

    Example:

    >>> define_schedule(128, 128, 512, num_layers=4, max_groups=8).groups
    (8, 4, 2, 1)

    Reference: Mehta et al., 2020, arXiv:1911.12385.
    """
    values = _check(projection_dim, output_dim, max_width, num_layers, max_groups)
    if released:
        powers = max_groups.bit_length()
        groups = [2 ** (i % powers) for i in reversed(range(num_layers))]
    else:
        groups = [max(max_groups >> i, 1) for i in range(num_layers)]
    widths = _spread(projection_dim, max_width, num_layers)[1:]
    return _schedule(projection_dim, widths, output_dim, groups, values)


def block_wise_scaling(
    min_layers: int, max_layers: int, width_multiplier: float, num_blocks: int | None = None
) -> list[tuple[int, float]]:
    """Returns the number of layers and the width multiplier of DeLighT's blocks, in their order.

    The number of layers grows evenly from `min_layers` to `max_layers`, and the width multiplier
    from `width_multiplier` by `max_layers / min_layers - 1`. Equal numbers give equal blocks.

    Args:
        min_layers: Grouped layers of the first block, at least 2.
        max_layers: Grouped layers of the last block.
        width_multiplier: Width multiplier of the first block.
        num_blocks: Number of blocks; `max_layers` by default.

    Returns:
        A pair for each block.

    Raises:
        ValueError: If a value is impossible.

    Example:

    >>> block_wise_scaling(4, 8, 2.0, num_blocks=3)
    [(4, 2.0), (6, 2.5), (8, 3.0)]

    Reference: Mehta et al., 2021, arXiv:2008.00623.
    """
    if not 2 <= min_layers <= max_layers:
        raise InputError(
            "Numbers of layers must be at least 2 and grow. Received: "
            f"min_layers={min_layers}, max_layers={max_layers}. For blocks that get shallower, "
            "reverse the result."
        )
    if not 0 < width_multiplier < math.inf:
        raise InputError(
            "`width_multiplier` must be positive and finite. "
            f"Received: width_multiplier={width_multiplier}."
        )
    num_blocks = max_layers if num_blocks is None else num_blocks
    if num_blocks < 1:
        raise InputError(f"`num_blocks` must be at least 1. Received: num_blocks={num_blocks}.")
    largest = width_multiplier + max_layers / min_layers - 1
    widths = _evenly(width_multiplier, largest, num_blocks)
    return [
        (num_layers, round(width, 3))
        for num_layers, width in zip(_spread(min_layers, max_layers, num_blocks), widths)
    ]


def default_max_groups(hidden_dim: int) -> int:
    """Returns the largest number of groups that DeLighT uses in a model of this width.

    That is `hidden_dim / 32`, rounded up to a power of two, and at least 1.

    Args:
        hidden_dim: The model's width.

    Raises:
        ValueError: If `hidden_dim` is below 1.

    Example:

    >>> default_max_groups(384)
    16
    """
    if hidden_dim < 1:
        raise InputError(f"`hidden_dim` must be at least 1. Received: hidden_dim={hidden_dim}.")
    return 1 << ((hidden_dim - 1) // 32).bit_length()


def _check(projection_dim, output_dim, max_width, num_layers, max_groups):
    """Checks what needs no schedule; returns the values as they stand in messages."""
    sizes = {"projection_dim": projection_dim, "output_dim": output_dim, "max_groups": max_groups}
    values = {**sizes, "max_width": max_width, "num_layers": num_layers}
    received = ", ".join(f"{name}={value}" for name, value in values.items())
    for name, value in sizes.items():
        if value < 1:
            raise InputError(f"`{name}` must be at least 1. Received: {received}.")
    if not 1 <= max_width < math.inf:
        raise InputError(f"`max_width` must be at least 1 and finite. Received: {received}.")
    if num_layers < 2:
        raise InputError(f"`num_layers` must be at least 2. Received: {received}.")
    return received


def _schedule(projection_dim, widths, output_dim, groups, values):
    """Rounds the widths between layers up, and puts the transform's input before each of them."""
    outputs = []
    for width, *both in zip(widths, groups, groups[1:]):
        multiple = max(*both, _WIDTH_MULTIPLE)
        outputs.append(-(-width // multiple) * multiple)
    inputs = [projection_dim] + [projection_dim + width for width in outputs]
    outputs.append(output_dim)
    for layer, count in enumerate(groups):
        # A group takes its part of the transform's input and its part of the layer before.
        for width in (projection_dim, *outputs[max(layer - 1, 0) : layer + 1]):
            if width % count:
                raise InputError(
                    f"The {count} groups of layer {layer} do not divide the width {width}. "
                    f"Received: {values}. Choose `max_groups` as a power of two that divides "
                    "`projection_dim` and `output_dim`."
                )
    return GroupSchedule(tuple(inputs), tuple(outputs), tuple(groups))


def _evenly(first: float, last: float, count: int) -> list[float]:
    """Returns `count` evenly spaced numbers, `first` and `last` among them."""
    if count == 1:
        return [first]
    distance = (last - first) / (count - 1)
    return [distance * i + first for i in range(count - 1)] + [last]


def _spread(first: float, last: float, count: int) -> list[int]:
    """The same, rounded down."""
    return [math.floor(value) for value in _evenly(first, last, count)]
