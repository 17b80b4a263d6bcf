"""Copies of models, layer by layer, through models that are layers of other models."""

from collections.abc import Callable

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.weight_slots import weight_slots

Layer = keras.layers.Layer


def is_graph(layer: Layer) -> bool:
    """Returns whether a layer is a functional or sequential model."""
    sequential = isinstance(layer, keras.Sequential)
    return sequential or getattr(layer, "_is_graph_network", False)


def leaf_layers(model: keras.Model) -> dict[str, Layer]:
    """Returns the layers of a model, those of functional and sequential models within it included.

    Args:
        model: A functional or sequential model, wrapped or not.

    Returns:
        Each layer once, by the names that lead to it, such as `encoder/dense`. A wrapped layer has
        the name of the layer within.
    """
    found, seen = {}, set()

    def visit(parent, prefix):
        for layer in parent.layers:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            path = prefix + wrapped(layer).name
            if is_graph(layer):
                visit(layer, f"{path}/")
            else:
                found[path] = layer

    visit(model, "")
    return found


def wrapped(layer: Layer) -> Layer:
    """Returns the layer within a wrapper, or the layer itself."""
    return layer.layer if hasattr(layer, "wrapped_by") else layer


def clone(model: keras.Model, copy: Callable[[Layer], Layer]) -> keras.Model:
    """Returns a model of the same structure with other layers, however deep models are nested.

    Args:
        model: A functional or sequential model.
        copy: Returns what takes a layer's place; called once for each layer.
    """
    copies = {}

    def visit(layer):
        if id(layer) not in copies:
            is_model = is_graph(layer)
            copies[id(layer)] = cloned(layer) if is_model else copy(layer)
        return copies[id(layer)]

    def cloned(parent):
        result = keras.models.clone_model(parent, clone_function=visit)
        if not result.built:
            result.build(parent._build_input_shape)
        # Names of outputs are those of layers; losses and metrics are given by them.
        if hasattr(parent, "output_names"):
            result.output_names = list(parent.output_names)
        result._trainable = parent._trainable
        return result

    return cloned(model)


def copy_layer(layer: Layer) -> Layer:
    """Returns a new layer from a layer's configuration, with its name and trainable flags.

    Args:
        layer: A layer, or a wrapped one, of which only what is within is copied.

    Raises:
        InputError: If the layer's class has no working `get_config`.
    """
    layer = wrapped(layer)
    try:
        copy = type(layer).from_config(layer.get_config())
    except Exception as error:  # Whatever a class of the user's own may raise.
        raise _no_copy(layer, f"{type(error).__name__}: {error}".splitlines()[0]) from error
    copy._name = layer.name
    return copy


def copy_model(model: keras.Model) -> keras.Model:
    """Returns a model with copies of all layers and their weights.

    Args:
        model: A functional or sequential model without wrappers.

    Raises:
        InputError: If a layer's class has no working `get_config`.
    """
    copy = clone(model, copy_layer)
    copies = leaf_layers(copy)
    for path, layer in leaf_layers(model).items():
        _liken(layer, copies[path])
        shapes, received = ([w.shape for w in x.weights] for x in (layer, copies[path]))
        if shapes != received:
            raise _no_copy(layer, f"weights of {received} instead of {shapes}")
        copies[path].set_weights(layer.get_weights())
    return copy


def copy_changed(
    model: keras.Model, plain: keras.Model, changed: dict[str, dict[str, tuple[object, np.ndarray]]]
) -> None:
    """Copies the weights of a model with wrapped layers to one without.

    A wrapper may put tensors in the places of weights, so that its layer has only the others, in
    the same order.

    Args:
        model: Where from.
        plain: A clone of it by `copy_layer`.
        changed: By layer and by path, the variable that a wrapper took out of its layer, and the
            value that takes its place.
    """
    copies = leaf_layers(plain)
    for path, layer in leaf_layers(model).items():
        copy, values = copies[path], changed.get(path, {})
        _liken(wrapped(layer), copy)
        slots = [slot for slot in weight_slots(copy) if slot.path in values]
        places = {id(slot.get()) for slot in slots}
        taken = {id(variable) for variable, _ in values.values()}
        given = [weight for weight in wrapped(layer).weights if id(weight) not in taken]
        rest = [weight for weight in copy.weights if id(weight) not in places]
        for weight, value in zip(rest, given, strict=True):
            weight.assign(value)
        for slot in slots:
            slot.get().assign(values[slot.path][1])


def _liken(layer, copy):
    """Gives the layers within a copy the names of the original's, and freezes what is frozen."""
    for inner, other in zip(layer._flatten_layers(), copy._flatten_layers()):
        other._name, other._trainable = inner._name, inner._trainable


def _no_copy(layer, reason):
    return InputError(
        f"the layer {layer.name} cannot be made again from its configuration. Received: "
        f"{type(layer).__name__} ({reason}). Give the class a `get_config` with every argument of "
        "its constructor."
    )
