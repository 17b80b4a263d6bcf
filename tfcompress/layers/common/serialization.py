"""How layers register themselves and carry their sub-layers in a configuration."""

import inspect
from typing import Any, TypeVar

import tensorflow as tf
from tensorflow import keras

C = TypeVar("C", bound=type)
_register = keras.utils.register_keras_serializable(package="tfcompress")
_ONCE = keras.initializers.Zeros()


def register(new_class: C) -> C:
    """Makes a class known to Keras, and a layer's matrices and tables to tf-model-optimization.

    Keras 2 would also convert the Python code of a layer's `call`, and of what that calls, to graph
    operations. There is nothing to convert, as Keras 3 never does so; left out, it saves a quarter
    of the time that a model takes to build.
    """
    layer_class: Any = new_class
    if issubclass(layer_class, keras.layers.Layer):
        layer_class.call = _unconverted(layer_class.call)
        if not hasattr(layer_class, "get_prunable_weights"):
            layer_class.get_prunable_weights = _prunable_weights
        layer_class.quantize = _refuse_quantize
    return _register(layer_class)


def _unconverted(call):
    unconverted = tf.autograph.experimental.do_not_convert(call)
    # Keras reads the arguments' names.
    unconverted.__signature__ = inspect.signature(call)
    return unconverted


def _refuse_quantize(self, *args, **kwargs):
    # One text for all layers: Keras 3 turns it into a warning, which Python shows once.
    raise NotImplementedError(
        "Keras' `quantize` leaves the layers of tfcompress in float32, as it knows how to compute "
        "its own layers only; those are quantized, inside them too. Use tfcompress.export.convert "
        "for a quantized bundle."
    )


def _prunable_weights(self) -> list:
    """Returns the matrices and tables of the layer and of those within it."""
    from tfcompress.layers.common.weight_slots import weight_slots

    return [slot.get() for slot in weight_slots(self)]


def pack(layer: keras.layers.Layer | None) -> dict | None:
    """Serializes an injected sub-layer for `get_config`.

    In a saved model, a layer that is injected in several places is marked as one, which Keras does
    for layers of a model only.
    """
    if layer is None:
        return None
    config = keras.utils.serialize_keras_object(layer)
    if _saves_a_model():
        config["shared_object_id"] = id(layer)
    return config


def _saves_a_model():
    """Whether Keras tells objects apart now: it marks what it has serialized before."""
    marks = [keras.utils.serialize_keras_object(_ONCE) for _ in range(2)]
    return "shared_object_id" in marks[1]


def unpack(config: dict, *names: str) -> dict:
    """Returns `config` with the sub-layers under `names` rebuilt; for `from_config`."""
    return {key: _rebuilt(value) if key in names else value for key, value in config.items()}


def _rebuilt(value):
    if isinstance(value, (list, tuple)):
        return [_rebuilt(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    # Keras 2 writes both names into HDF5 files, and reads this one as the registered one.
    name = value.get("registered_name") or value["class_name"]
    return keras.layers.deserialize({**value, "class_name": name})
