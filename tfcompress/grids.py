"""The grids that quantized weights lie on. Pure numpy.

A weight is an integer times a scale. Scales have so few bits that every such product is exact in
float32, and the largest one divided by the largest integer gives the scale back. So a table of
float32 values that lie on a grid is all that is needed to find the grid again: what was trained on
it is exported onto it, bit for bit.
"""

import math
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass

import numpy as np

from tfcompress.errors import InputError

BITS = (8, 4)
# Weights that share a scale in bundles with blocks.
INT4_BLOCK = 32
# Bits at the end of a float32 that a scale leaves empty. 127 takes 7 of them; more make compressed
# files smaller; with more than these, the largest weight could miss the largest integer.
EMPTY_BITS = 15
# Of blocks, bundles store scales in half precision and XNNPACK packs them as bfloat16.
EMPTY_BITS_OF_BLOCKS = 16
# Smaller weights save nothing and, quantized, cost quality; TensorFlow's converter has this bound.
MIN_ELEMENTS = 1024
# Of a weight, how many values rule a scale out before all are looked at.
_SAMPLE = 256
_LAST_BITS = 2.0**-21
SMALLEST_BLOCK_SCALE, LARGEST_BLOCK_SCALE = 2.0**-14, 65280.0


@dataclass(frozen=True)
class Grid:
    """Which weights share a scale, and how many integers there are.

    Attributes:
        bits: 8 or 4; integers run from `-levels` to `levels`.
        channels: Axes of a weight along which scales differ; none for one scale.
        block_size: Along the axes that are summed over, how many weights share a scale; None for
            all of a channel. The scales of blocks lie in both bfloat16 and float16.
        inputs: The axes that are summed over, one after another, where there are blocks.
        scale: The one scale of weights that were quantized elsewhere; None for the shortened scales
            that the largest weights give.
    """

    bits: int = 8
    _: KW_ONLY
    channels: tuple[int, ...] = (0,)
    block_size: int | None = None
    inputs: tuple[int, ...] = ()
    scale: float | None = None

    @property
    def levels(self) -> int:
        """The largest integer."""
        return 2 ** (self.bits - 1) - 1

    def blocked_shape(self, shape: Iterable[int]) -> tuple[list[int], tuple[int, ...]]:
        """Returns the shape in which blocks have an axis of their own, and the axes of a scale.

        Args:
            shape: The weight's.
        """
        shape = list(shape)
        channels = {axis % len(shape) for axis in self.channels}
        if self.block_size is None:
            return shape, tuple(axis for axis in range(len(shape)) if axis not in channels)
        first, last = (self.inputs[end] % len(shape) for end in (0, -1))
        inputs = math.prod(shape[first : last + 1])
        shape[first : last + 1] = [inputs // self.block_size, self.block_size]
        return shape, (first + 1,)

    def quantize(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rounds weights to integers.

        Args:
            weights: Float32.

        Returns:
            Int8 integers of the same shape, and the float32 scales, whose axes are those of
            `blocked_shape` with 1 along the axes of a scale. Where all weights are too small for
            a scale, they become 0 and the scale 1, as kernels refuse a scale of 0.
        """
        weights = np.asarray(weights, np.float32)
        shape, axes = self.blocked_shape(weights.shape)
        blocked = weights.reshape(shape)
        largest = np.abs(blocked).max(axis=axes, keepdims=True, initial=0)
        scales = self.scales(largest)
        integers = np.clip(np.rint(blocked / scales), -self.levels, self.levels)
        return integers.astype(np.int8).reshape(weights.shape), scales

    def dequantize(self, integers: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """Returns the float32 weights of integers, each exact.

        Args:
            integers: What `quantize` returned.
            scales: The same.
        """
        shape, _ = self.blocked_shape(integers.shape)
        return (integers.reshape(shape).astype(np.float32) * scales).reshape(integers.shape)

    def round(self, weights: np.ndarray) -> np.ndarray:
        """Returns the nearest weights on the grid.

        Args:
            weights: Float32.
        """
        return self.dequantize(*self.quantize(weights))

    def scales(self, largest: np.ndarray) -> np.ndarray:
        """Returns the scales of weights whose largest magnitudes are known.

        Args:
            largest: Float32 magnitudes.
        """
        if self.scale is not None:
            return np.full_like(largest, self.scale, np.float32)
        scales = np.asarray(largest, np.float32) / np.float32(self.levels)
        if self.block_size is not None:
            scales = _shortened(scales, EMPTY_BITS_OF_BLOCKS)
            return np.clip(scales, SMALLEST_BLOCK_SCALE, LARGEST_BLOCK_SCALE).astype(np.float32)
        scales = _shortened(scales, EMPTY_BITS)
        return np.where(scales < np.finfo(np.float32).tiny, np.float32(1), scales)


def check_bits(bits: int, block_size: int | None) -> None:
    """Makes sure that there are grids of so many bits and such blocks.

    Args:
        bits: What the user asked for.
        block_size: The same.

    Raises:
        InputError: If there are none.
    """
    if bits not in BITS:
        raise InputError(f"`bits` must be 8 or 4. Received: bits={bits}.")
    if block_size is not None and (bits, block_size) != (4, INT4_BLOCK):
        raise InputError(
            f"`block_size` must be {INT4_BLOCK}, as bundles have, and goes with 4 bits only. "
            f"Received: block_size={block_size}, bits={bits}."
        )


def holds_whole(weights: np.ndarray, bits: int = 8) -> Grid | None:
    """Returns the grid of one scale that all weights lie on already, if there is one.

    Matrices that are applied in both directions have one scale for all, as their rows are channels
    now of the one and now of the other.

    Args:
        weights: Float32.
        bits: Of the integers.
    """
    grid = Grid(bits, channels=())
    return grid if weights.any() and np.array_equal(grid.round(weights), weights) else None


def quantized_elsewhere(weights: np.ndarray) -> Grid | None:
    """Returns the grid of 8 bits and one scale that weights of another library lie on, if any.

    Such scales have all bits, so that an integer times its scale is rounded in the last of them.

    Args:
        weights: Float32.
    """
    largest = np.abs(weights).max(initial=0)
    sample = weights.reshape(-1)[:: max(1, weights.size // _SAMPLE)]
    has_scale = np.finfo(np.float32).tiny * 256 < largest < np.inf
    # The largest integer is 127 where the scale was made from the largest weight.
    for level in range(127, 0, -1) if has_scale else ():
        grid = Grid(8, channels=(), scale=float(np.float32(largest) / np.float32(level)))
        if all(np.allclose(grid.round(x), x, rtol=_LAST_BITS, atol=0) for x in (sample, weights)):
            return grid
    return None


def _shortened(scales, empty_bits):
    """Rounds to the nearest float32 with empty bits at its end."""
    half = np.uint32(1 << (empty_bits - 1))
    bits = np.ascontiguousarray(scales, np.float32).view(np.uint32)
    # An infinite or nearly infinite scale stays: weights are checked elsewhere.
    short = (bits + half) & np.uint32(~((1 << empty_bits) - 1) & 0xFFFFFFFF)
    return np.where(np.isfinite(scales), short.view(np.float32), scales).astype(np.float32)
