"""Layers that compute one position at a time, from state that they declare."""

import functools
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfcompress.custom_ops.emission import implements
from tfcompress.layers.common.layer import Layer

# Marks the function while a bundle is traced: it becomes one operation of this name, which the
# export rewrites to the builtin DYNAMIC_UPDATE_SLICE, a write in place on the device. Other
# conversions would leave the operation as it is, and no runtime has it.
UPDATE_OP = "tfc.UpdateRow"


class IncrementalLayer(Layer):
    """Base of layers that also decode: position by position, from state that they declare.

    Subclasses have `state_spec()` and `step(inputs, position, cache, padding_mask=None)`.
    """

    def state_spec(self) -> dict:
        """Returns a `StateSpec` by name for each tensor that `step` needs of the steps before.

        Layers made of others nest what those return, under the names of their attributes.
        """
        raise NotImplementedError(f"{type(self).__name__} declares no state")

    def init_cache(self, batch_size: int, max_length: int) -> dict:
        """Returns the cache that `step` starts from.

        Args:
            batch_size: Rows of the batch.
            max_length: Tokens that the cache has room for.

        Returns:
            A tensor for each entry of `state_spec`.

        Raises:
            ValueError: If the layer has no weights yet or cannot work step by step.
        """
        self._check_built()
        return initial_state(self, batch_size, max_length)

    def update_row(
        self, tensor: tf.Tensor, row: tf.Tensor, position: tf.Tensor, axis: int = 2
    ) -> tf.Tensor:
        """Returns a growing tensor with one position written; `step` writes it with nothing else.

        Args:
            tensor: Such as `[batch, num_heads, max_length, head_dim]`.
            row: The same with a size of 1 along `axis`.
            position: Integer scalar.
            axis: The axis of positions, the batch axis counted too.
        """
        start = tf.reshape(tf.cast(position, tf.int32), [1])
        start = tf.pad(start, [[axis, tensor.shape.rank - 1 - axis]])
        updated = _update(axis, self.computes_with(UPDATE_OP))(tensor, row, start)
        updated.set_shape(tensor.shape)
        return updated

    def _check_built(self):
        if not self.built:
            raise ValueError(
                f"{self.name} has no weights yet. Received: init_cache before the first call. "
                "Call the layer or its `build` first."
            )


def initial_state(layer: keras.layers.Layer, batch_size: Any, max_length: Any) -> dict:
    """Returns the state of a layer before the first step.

    Args:
        layer: Has `state_spec`, all of it per hypothesis.
        batch_size: Rows of the batch.
        max_length: Positions that there must be room for.
    """

    def initial(name, spec):
        if isinstance(spec, Mapping):
            return initial_state(getattr(layer, name), batch_size, max_length)
        value = tf.cast(spec.initial, layer.compute_dtype)
        return tf.fill(spec.sizes(batch_size, max_length), value)

    return {name: initial(name, spec) for name, spec in layer.state_spec().items()}


@functools.cache
def _update(axis, is_marked):
    def update(tensor, row, start):
        index = tf.range(tf.shape(tensor)[axis])
        index = tf.reshape(index, [-1 if i == axis else 1 for i in range(tensor.shape.rank)])
        return tf.where(index == start[axis], row, tensor)

    if not is_marked:
        return update
    return tf.function(update, experimental_implements=implements(UPDATE_OP), autograph=False)
