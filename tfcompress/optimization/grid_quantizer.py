"""Fake quantization onto the grids of bundles."""

import dataclasses

import numpy as np
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
        clusters: How many values the weight has, whose numbers are kept beside it; each is the mean
            of its cluster. None if any weight may have any value.
    """

    def __init__(self, grid: Grid, *, masked: bool = False, clusters: int | None = None):
        self.grid = grid
        self.masked = masked
        self.clusters = clusters

    def build(self, tensor_shape, name, layer):
        def constant(suffix, initializer, dtype):
            return layer.add_weight(
                name=f"{name}_{suffix}",
                shape=tensor_shape,
                initializer=initializer,
                dtype=dtype,
                trainable=False,
            )

        weights = {}
        if self.masked:
            weights["mask"] = constant("mask", "ones", "float32")
        if self.clusters is not None:
            weights["clusters"] = constant("clusters", "zeros", "int32")
        return weights

    def begin(self, values: np.ndarray, weights: dict[str, tf.Variable]) -> None:
        """Notes which weights are zero, and which are equal.

        Args:
            values: The weight at the beginning.
            weights: What `build` returned.
        """
        if self.masked:
            weights["mask"].assign((values != 0).astype(np.float32))
        if self.clusters is not None:
            numbers = np.unique(values, return_inverse=True)[1]
            weights["clusters"].assign(numbers.reshape(values.shape))

    def __call__(self, inputs, training, weights, **kwargs):
        x = tf.cast(inputs, tf.float32)
        if self.clusters is not None:
            x = cluster_means(x, weights["clusters"], self.clusters)
        return fake_quantize(x * weights["mask"] if self.masked else x, self.grid)

    def get_config(self):
        return {
            "grid": dataclasses.asdict(self.grid),
            "masked": self.masked,
            "clusters": self.clusters,
        }

    @classmethod
    def from_config(cls, config):
        settings = config["grid"]
        grid = Grid(
            settings["bits"],
            channels=tuple(settings["channels"]),
            block_size=settings["block_size"],
            inputs=tuple(settings["inputs"]),
        )
        return cls(grid, masked=config["masked"], clusters=config["clusters"])

    def __eq__(self, other):
        return isinstance(other, GridQuantizer) and other.get_config() == self.get_config()

    def __hash__(self):
        return hash((self.grid, self.masked, self.clusters))


def cluster_means(weights: tf.Tensor, numbers: tf.Tensor, clusters: int) -> tf.Tensor:
    """Returns the mean of the cluster that each weight is in.

    Args:
        weights: Float32.
        numbers: The number of each weight's cluster.
        clusters: How many there are.
    """
    means = tf.math.unsorted_segment_mean(
        tf.reshape(weights, [-1]), tf.reshape(numbers, [-1]), clusters
    )
    return tf.gather(means, numbers)


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
