"""What surgery on Keras models of a user's own has in common."""

from collections.abc import Mapping
from typing import Any

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.nested import named_layers

Layer = keras.layers.Layer


def check_own(model: keras.Model, function: str) -> None:
    """Makes sure that a model can be copied and changed.

    Args:
        model: The model.
        function: What it is for, as the user called it.

    Raises:
        InputError: If not.
    """
    if not model.built:
        raise InputError(f"{function} needs a built model. Received: {model.name}. Call it once.")
    for layer in named_layers(model, Layer).values():
        if hasattr(layer, "wrapped_by"):
            raise InputError(
                f"{function} needs a plain model. Received: {model.name}, which "
                f"{layer.wrapped_by} made. Strip it first."
            )


def refuse_own(model: Any, function: str, reason: str) -> None:
    """Refuses a Keras model where a function makes sense for this library's own models only.

    Args:
        model: What the function was called with.
        function: The function.
        reason: Why, and what to do instead: two sentences.

    Raises:
        InputError: If it is a Keras model.
    """
    if isinstance(model, keras.Model):
        cause, remedy = reason.split(". ", 1)
        raise InputError(f"{function} {cause}. Received: the Keras model {model.name}. {remedy}")


def rebuilt_layer(layer: Layer, changes: Mapping[str, Any], **build) -> Layer:
    """Returns a built layer like another but for its configuration.

    Args:
        layer: The other.
        changes: What differs in its configuration.
        **build: What its `build` is called with; nothing where its constructor builds it.

    Raises:
        InputError: If the layer's class has no working `get_config`.
    """
    try:
        new = type(layer).from_config({**layer.get_config(), **changes})
        if build:
            new.build(**build)
    except Exception as error:  # Whatever a class of the user's own may raise.
        raise InputError(
            f"The layer {layer.name} cannot be made again from its configuration. Received: "
            f"{type(layer).__name__} ({type(error).__name__}: {error}). Give the class a "
            "`get_config` with every argument of its constructor."
        ) from error
    new.trainable = layer.trainable
    return new
