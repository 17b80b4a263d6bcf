"""What tf-model-optimization's wrappers need so that a wrapped layer trains as it would alone."""

from collections.abc import Iterable

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.weight_slots import WeightSlot


class LayerWrapper:
    """Lets masks, precision and frozen weights through; stands before a wrapper's own class.

    tf-model-optimization calls a layer's `call`, which leaves out what Keras does in `__call__`:
    masks, casts to the layer's precision, losses of activities.

    Attributes:
        wrapped_by: Name of the function that makes such wrappers.
    """

    wrapped_by: str

    def __init__(self, layer: keras.layers.Layer, *args, **kwargs):
        # The layer casts what it gets itself, and a cast tensor would lose its mask.
        super().__init__(layer, *args, **{**kwargs, "dtype": "float32", "autocast": False})
        self.supports_masking = layer.supports_masking

    def compute_mask(self, inputs, mask=None):
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def call_layer(self, inputs, mask, kwargs: dict):
        """Calls the layer; it finds implicit masks and the training mode by itself.

        Args:
            inputs: Its first argument.
            mask: The mask of it, or None.
            kwargs: Its other arguments.
        """
        if mask is not None and self.layer._expects_mask_arg:
            kwargs = {**kwargs, "mask": mask}
        return self.layer(inputs, **kwargs)

    def freeze(self, variables: Iterable[tf.Variable]) -> None:
        """Leaves variables out of training, as they are not trained in the layer itself."""
        frozen = {id(variable) for variable in variables}
        self._non_trainable_weights += [w for w in self._trainable_weights if id(w) in frozen]
        self._trainable_weights = [w for w in self._trainable_weights if id(w) not in frozen]

    @property
    def trainable_weights(self):
        return super().trainable_weights if self.trainable else []

    @property
    def non_trainable_weights(self):
        weights = super().non_trainable_weights
        if not self.trainable:
            weights = super().trainable_weights + weights
        return self._dedup_weights(weights)


def put_cast(slot: WeightSlot, weight: tf.Tensor) -> None:
    """Puts a float32 tensor in a weight's place, in the precision that its layer computes in."""
    slot.put(tf.cast(weight, slot.owner.compute_dtype))
