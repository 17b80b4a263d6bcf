"""Writes functions of a model as a SavedModel, which is what conversion reads."""

from collections.abc import Callable, Collection, Mapping, Sequence

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.device_operations import device_operations
from tfcompress.layers.common.embedding_lookup import LOOK_UP
from tfcompress.layers.common.state import UPDATE_OP


def save_functions(
    path: str,
    model: keras.Model,
    functions: Mapping[str, tuple[Callable, Sequence]],
    custom_ops: Collection[str],
) -> None:
    """Writes a SavedModel.

    Args:
        path: A new folder.
        model: Whose weights the functions use.
        functions: Each signature's function and its inputs, as `tf.TensorSpec`.
        custom_ops: The custom operations that its layers compute with.
    """
    module = tf.Module()
    # Keras 3 wraps TensorFlow's variables, which are what a SavedModel tracks.
    module.kept = [
        variable if isinstance(variable, tf.Variable) else variable.value
        for variable in model.variables
    ]
    traced = {
        name: tf.function(function, input_signature=inputs, autograph=False)
        for name, (function, inputs) in functions.items()
    }
    with device_operations(model, {*custom_ops, UPDATE_OP, LOOK_UP}):
        concrete = {name: f.get_concrete_function() for name, f in traced.items()}
    tf.saved_model.save(module, path, concrete)
