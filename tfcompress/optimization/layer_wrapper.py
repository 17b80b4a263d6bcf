"""What tf-model-optimization's wrappers need so that a wrapped layer trains as it would alone."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.layer import accepts
from tfcompress.layers.common.weight_slots import WeightSlot, weight_slots

# It stands before a class of tf-model-optimization, which is a Keras wrapper.
_Wrapper = keras.layers.Wrapper if TYPE_CHECKING else object


class LayerWrapper(_Wrapper):
    """Lets masks, precision and frozen weights through; stands before a wrapper's own class.

    tf-model-optimization calls a layer's `call`, which leaves out what Keras does in `__call__`:
    masks, casts to the layer's precision, losses of activities.

    Attributes:
        wrapped_by: Name of the function that makes such wrappers.
    """

    wrapped_by: str
    _is_loaded = False

    def __init__(self, layer: keras.layers.Layer, *args, **kwargs):
        # The layer casts what it gets itself, and a cast tensor would lose its mask.
        super().__init__(layer, *args, **{**kwargs, "dtype": "float32", "autocast": False})
        self.supports_masking = layer.supports_masking

    @classmethod
    def from_config(cls, config, *args, **kwargs):
        layer = config["layer"]
        # Under the name that `.h5` files find it by, too.
        name = layer.get("registered_name") or layer["class_name"]
        config = {**config, "layer": {**layer, "class_name": name}}
        wrapper = super().from_config(config, *args, **kwargs)
        wrapper._is_loaded = True
        return wrapper

    def build_from_config(self, config):
        """Does nothing; a wrapper is built when it is called, once its layer is."""

    def __call__(self, *args, **kwargs):
        if self._is_loaded and not self.built:
            # Some of Keras' layers make their weights when they are called.
            self.layer(*args, **kwargs)
        return super().__call__(*args, **kwargs)

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
        if mask is not None and self.layer._expects_mask_arg and accepts(self.layer, "mask"):
            kwargs = {**kwargs, "mask": mask}
        return self.layer(inputs, **kwargs)

    def own_variables(self) -> list[tf.Variable]:
        """Returns what a file keeps of the wrapper, in an order that no frozen layer changes."""
        raise NotImplementedError

    def save_own_variables(self, store):
        for index, variable in enumerate(self.own_variables()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store):
        variables = self.own_variables()
        shapes = [tuple(variable.shape) for variable in variables]
        received = [tuple(store[str(index)].shape) for index in range(len(store.keys()))]
        if shapes != received:
            raise InputError(
                f"The weights of {self.name} must have the shapes {shapes}. Received: {received}. "
                f"Build the model and call {self.wrapped_by} as for the model that was saved."
            )
        for index, variable in enumerate(variables):
            variable.assign(store[str(index)])

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


def slots_at(layer: keras.layers.Layer, paths: Iterable[str]) -> dict[str, WeightSlot]:
    """Returns the places of a layer's weights by their paths.

    Args:
        layer: A built layer.
        paths: Which ones.
    """
    return {slot.path: slot for slot in weight_slots(layer) if slot.path in paths}


def put_cast(slot: WeightSlot, weight: tf.Tensor) -> None:
    """Puts a float32 tensor in a weight's place, in the precision that its layer computes in."""
    slot.put(tf.cast(weight, slot.owner.compute_dtype))
