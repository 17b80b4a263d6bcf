"""How layers register themselves and carry their sub-layers in a configuration."""

import inspect

import tensorflow as tf
from tensorflow import keras

_register = keras.utils.register_keras_serializable(package="tfcompress")


def register(new_class: type) -> type:
    """Makes a class known to Keras, and a layer's matrices and tables to tf-model-optimization.

    Keras 2 would also convert the Python code of a layer's `call`, and of what that calls, to graph
    operations. There is nothing to convert, as Keras 3 never does so; left out, it saves a quarter
    of the time that a model takes to build.
    """
    if issubclass(new_class, keras.layers.Layer):
        new_class.call = _unconverted(new_class.call)
        if not hasattr(new_class, "get_prunable_weights"):
            new_class.get_prunable_weights = _prunable_weights
    return _register(new_class)


def _unconverted(call):
    unconverted = tf.autograph.experimental.do_not_convert(call)
    # Keras reads the arguments' names.
    unconverted.__signature__ = inspect.signature(call)
    return unconverted


def _prunable_weights(self) -> list:
    """Returns the matrices and tables of the layer and of those within it."""
    from tfcompress.layers.weight_slots import weight_slots

    return [slot.get() for slot in weight_slots(self)]


def pack(layer: keras.layers.Layer | None) -> dict | None:
    """Serializes an injected sub-layer for `get_config`."""
    return None if layer is None else keras.utils.serialize_keras_object(layer)


def unpack(config: dict, *names: str) -> dict:
    """Returns `config` with the sub-layers under `names` rebuilt; for `from_config`."""
    config = dict(config)
    for name in names:
        value = config.get(name)
        if isinstance(value, dict):
            config[name] = keras.utils.deserialize_keras_object(value)
    return config
