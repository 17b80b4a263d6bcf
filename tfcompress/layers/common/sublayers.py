"""How layers make and check the layers inside them."""

import inspect

import tensorflow as tf
from tensorflow import keras

from tfcompress.layers.common.layer import accepts


def build_sublayer(layer: keras.layers.Layer, input_shape) -> None:
    """Builds a layer inside another's `build`, so that its name stands in those of its weights."""
    with tf.name_scope(layer.name):
        layer.build(input_shape)


def check_sublayer(name: str, layer: keras.layers.Layer, *keywords: str) -> None:
    """Raises ValueError unless a layer can be called as `layer(x, keyword=..., training=...)`.

    Args:
        name: The argument that it was given as.
        layer: The layer, or what was given for one.
        *keywords: What its calls must take besides one tensor.
    """
    if not isinstance(layer, keras.layers.Layer):
        raise ValueError(f"`{name}` must be a Keras layer. Received: {name}={layer!r}.")
    _, *others = inspect.signature(layer.call).parameters.values()
    needed = [x.name for x in others if x.default is x.empty and x.kind is x.POSITIONAL_OR_KEYWORD]
    lacking = [keyword for keyword in keywords if not accepts(layer, keyword)]
    if set(needed) - set(keywords) or lacking:
        signature = ", ".join(["x", *(f"{keyword}=..." for keyword in keywords)])
        raise ValueError(
            f"`{name}` must be a layer that is called as `{name}({signature})`. Received: "
            f"{layer.name} ({type(layer).__name__}), which "
            + (f"takes no {', '.join(lacking)}" if lacking else f"needs {', '.join(needed)}")
            + ". Pass one of tfcompress.layers, or wrap it in a layer with such a call."
        )


def copy_initializer(initializer):
    """Returns an equal initializer for one more weight.

    One instance used twice would give both weights the same values. A plain function has no state
    and is returned as it is.
    """
    if not hasattr(initializer, "from_config"):
        return initializer
    return initializer.__class__.from_config(initializer.get_config())


def serialized_initializer(initializer):
    """Returns an initializer as a configuration has it, if it is not one already."""
    is_plain = isinstance(initializer, str | dict)
    return initializer if is_plain else keras.initializers.serialize(initializer)
