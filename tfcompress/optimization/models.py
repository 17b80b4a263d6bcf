"""What tf-model-optimization takes."""

from typing import Any

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models.cloning import is_graph, leaf_layers
from tfcompress.optimization.layer_wrapper import LayerWrapper


def check_optimizable(model: keras.Model, function: str) -> None:
    """Makes sure that tf-model-optimization can take a model apart.

    Args:
        model: The model.
        function: What it is for, as the user called it.

    Raises:
        InputError: If Keras 3 runs, or the model is neither functional nor sequential, or has no
            weights yet.
    """
    if hasattr(keras, "ops"):
        raise InputError(
            f"{function} needs Keras 2. Received: Keras 3. Set TF_USE_LEGACY_KERAS=1 before "
            "TensorFlow is imported, build the model there with the same code and load what "
            "save_weights wrote here to a .weights.h5 file (what get_weights gives, if it holds "
            "keras.layers.MultiHeadAttention, whose weights have other names in each); export "
            "quantizes trained models under Keras 3 too."
        )
    if not isinstance(model, keras.Model):
        has_model = isinstance(getattr(model, "model", None), keras.Model)
        remedy = "Pass its `model`." if has_model else "Build it with keras.Model."
        raise InputError(
            f"{function} needs a Keras model. Received: {type(model).__name__}. {remedy}"
        )
    if not is_graph(model):
        raise InputError(
            f"{function} needs a functional or sequential model. Received: {model.name}, which is "
            "subclassed. Build it from keras.Input to keras.Model."
        )
    if not model.built:
        raise InputError(f"{function} needs a built model. Received: {model.name}. Call it once.")
    for path, layer in leaf_layers(model).items():
        if isinstance(layer, keras.Model):
            raise InputError(
                f"{function} needs models within the model to be functional or sequential. "
                f"Received: {path}, which is subclassed. Build it from keras.Input to keras.Model."
            )


def check_plain(model: keras.Model, function: str) -> None:
    """Makes sure that a model can be wrapped: as `check_optimizable`, and not wrapped already.

    Args:
        model: The model.
        function: What it is for, as the user called it.

    Raises:
        InputError: If not.
    """
    check_optimizable(model, function)
    for layer in leaf_layers(model).values():
        if isinstance(layer, LayerWrapper):
            raise InputError(
                f"{function} needs a plain model. Received: {model.name}, which "
                f"{layer.wrapped_by} made. Strip it first."
            )


def wrappers(model: keras.Model, wrapped_by: str, function: str) -> dict[str, Any]:
    """Returns a model's wrappers by the paths of the layers within.

    Args:
        model: The model.
        wrapped_by: The function that wrapped the layers.
        function: What they are for, as the user called it.

    Raises:
        InputError: If there are none, or as for `check_optimizable`.
    """
    check_optimizable(model, function)
    wrapped_layers = {
        path: layer
        for path, layer in leaf_layers(model).items()
        if getattr(layer, "wrapped_by", None) == wrapped_by
    }
    if not wrapped_layers:
        raise InputError(
            f"{function} needs a model that {wrapped_by} made. Received: {model.name}, in which no "
            "layer is wrapped by it."
        )
    return wrapped_layers
