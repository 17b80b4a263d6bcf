"""How layers make the layers inside them."""

import tensorflow as tf
from tensorflow import keras


def build_sublayer(layer: keras.layers.Layer, input_shape) -> None:
    """Builds a layer inside another's `build`, so that its name stands in those of its weights."""
    with tf.name_scope(layer.name):
        layer.build(input_shape)


def copy_initializer(initializer):
    """Returns an equal initializer for one more weight.

    One instance used twice would give both weights the same values. A plain function has no state
    and is returned as it is.
    """
    if not hasattr(initializer, "from_config"):
        return initializer
    return initializer.__class__.from_config(initializer.get_config())
