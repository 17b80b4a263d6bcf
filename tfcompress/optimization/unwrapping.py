"""Plain models out of those whose layers tf-model-optimization has wrapped."""

from collections.abc import Callable, Mapping

import numpy as np
from tensorflow import keras

from tfcompress.layers.weight_slots import weight_slots


def unwrapped_clone(
    model: keras.Model, is_wrapper: Callable[[keras.layers.Layer], bool]
) -> keras.Model:
    """Returns a model of the same layers without wrappers, with initial weights.

    Args:
        model: A functional or sequential model.
        is_wrapper: Says which layers are wrappers; what they wrap is their `layer`.
    """

    def unwrapped(layer):
        inner = layer.layer if is_wrapper(layer) else layer
        return type(inner).from_config(inner.get_config())

    return keras.models.clone_model(model, clone_function=unwrapped)


def copy_unwrapped(
    model: keras.Model,
    plain: keras.Model,
    values: Mapping[str, Mapping[str, tuple[object, np.ndarray]]],
) -> None:
    """Copies the weights of a model with wrapped layers to one without.

    A wrapper puts tensors in the places of the weights that it changes, so that its layer has the
    others only, in the same order.

    Args:
        model: Where from.
        plain: What `unwrapped_clone` returned.
        values: By layer and by path, the variable that a wrapper took out of its layer, and the
            value that takes its place.
    """
    wrapped = {layer.layer.name: layer for layer in model.layers if hasattr(layer, "layer")}
    for layer in plain.layers:
        changed = values.get(layer.name)
        if changed is None:
            if layer.weights:
                layer.set_weights(model.get_layer(layer.name).get_weights())
            continue
        slots = [slot for slot in weight_slots(layer) if slot.path in changed]
        places = {id(slot.get()) for slot in slots}
        taken = {id(variable) for variable, _ in changed.values()}
        given = wrapped[layer.name].layer.weights
        rest = [weight for weight in layer.weights if id(weight) not in places]
        for weight, value in zip(rest, (w for w in given if id(w) not in taken), strict=True):
            weight.assign(value)
        for slot in slots:
            slot.get().assign(changed[slot.path][1])
