"""Fake quantization onto the grids of bundles."""

import dataclasses

import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow import keras

from tfcompress.grids import (
    EMPTY_BITS,
    EMPTY_BITS_OF_BLOCKS,
    LARGEST_BLOCK_SCALE,
    SMALLEST_BLOCK_SCALE,
    Grid,
)

_TINY = 2.0**-126


@keras.utils.register_keras_serializable("tfcompress")
class GridQuantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """Rounds a weight to a grid in the forward pass; gradients pass as if it had not.

    It computes what `Grid.round` does, bit for bit.

    Args:
        grid: The grid.
        masked: Whether there is a mask beside the weight, 0 where it must be 0.
    """

    def __init__(self, grid: Grid, masked: bool = False):
        self.grid = grid
        self.masked = masked

    def build(self, tensor_shape, name, layer):
        if not self.masked:
            return {}
        ones = {"initializer": "ones", "trainable": False, "dtype": "float32"}
        return {"mask": layer.add_weight(name=f"{name}_mask", shape=tensor_shape, **ones)}

    def __call__(self, inputs, training, weights, **kwargs):
        x = tf.cast(inputs, tf.float32)
        return fake_quantize(x * weights["mask"] if self.masked else x, self.grid)

    def get_config(self):
        return {"grid": dataclasses.asdict(self.grid), "masked": self.masked}

    @classmethod
    def from_config(cls, config):
        grid = dict(config["grid"])
        return cls(Grid(**grid | {"channels": tuple(grid["channels"])}), config["masked"])

    def __eq__(self, other):
        return isinstance(other, GridQuantizer) and other.get_config() == self.get_config()

    def __hash__(self):
        return hash((self.grid, self.masked))


def fake_quantize(weights: tf.Tensor, grid: Grid) -> tf.Tensor:
    """Returns the nearest weights on a grid; the gradient is that of the identity.

    Args:
        weights: Float32.
        grid: The grid.
    """

    @tf.custom_gradient
    def rounded(x):
        shape, axes = grid.blocked_shape(x.shape)
        blocked = tf.reshape(x, shape)
        scales = _scales(tf.reduce_max(tf.abs(blocked), axis=axes, keepdims=True), grid)
        integers = tf.clip_by_value(tf.round(blocked / scales), -grid.levels, grid.levels)
        return tf.reshape(integers * scales, x.shape), lambda gradient: gradient

    return rounded(weights)


def _scales(largest, grid):
    scales = largest / grid.levels
    if grid.block_size is not None:
        scales = _shortened(scales, EMPTY_BITS_OF_BLOCKS)
        return tf.clip_by_value(scales, SMALLEST_BLOCK_SCALE, LARGEST_BLOCK_SCALE)
    scales = _shortened(scales, EMPTY_BITS)
    return tf.where(scales < _TINY, tf.ones_like(scales), scales)


def _shortened(scales, empty_bits):
    bits = tf.bitcast(scales, tf.uint32) + tf.constant(1 << (empty_bits - 1), tf.uint32)
    mask = tf.constant(~((1 << empty_bits) - 1) & 0xFFFFFFFF, tf.uint32)
    return tf.bitcast(tf.bitwise.bitwise_and(bits, mask), tf.float32)
