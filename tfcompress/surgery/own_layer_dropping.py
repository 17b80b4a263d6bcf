"""Removes whole layers from Keras models of a user's own."""

from collections.abc import Mapping, Sequence

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers import LayerDropWrapper, TransformerDecoderLayer, TransformerEncoderLayer
from tfcompress.layers.common.nested import by_name, named_layers
from tfcompress.layers.common.pass_through import PassThrough
from tfcompress.layers.common.residual import ResidualLayer
from tfcompress.models.cloning import copy_model, rename, replace_layers
from tfcompress.surgery.keras_models import check_own

Layer = keras.layers.Layer
_STACKED = (LayerDropWrapper, TransformerDecoderLayer, TransformerEncoderLayer)


def drop_own_layers(
    model: keras.Model,
    *,
    keep: Mapping[str, Sequence[int]] | Sequence[str] | None,
    drop: Mapping[str, Sequence[int]] | Sequence[str] | None,
) -> keras.Model:
    """Returns a model that passes the inputs of dropped layers on; see `drop_layers`.

    Args:
        model: The model.
        keep: Names or paths of the layers to keep.
        drop: Those to drop.

    Raises:
        InputError: If a name does not exist, a layer changes the shape of its input or stands in a
            residual connection, or none would be left.
    """
    check_own(model, "drop_layers")
    copy = copy_model(model)
    every = named_layers(copy, Layer)
    wrappers = named_layers(copy, LayerDropWrapper)
    inner = {id(layer) for wrapper in wrappers.values() for layer in _within(wrapper)}
    stack = {
        path: layer
        for path, layer in named_layers(copy, _STACKED).items()
        if id(layer) not in inner
    }
    dropped = _chosen("drop", drop, every)
    if keep is not None:
        kept = {id(layer) for layer in _chosen("keep", keep, stack)}
        dropped += [layer for layer in stack.values() if id(layer) not in kept]
    if stack and not {id(layer) for layer in stack.values()} - {id(layer) for layer in dropped}:
        raise InputError(
            f"{model.name} would lose all its layers. Received: keep={keep}, drop={drop}. Keep at "
            f"least one of {', '.join(by_name(stack))}."
        )
    for layer in dropped:
        _check_droppable(layer, every)
    replacements = {}
    for wrapper in wrappers.values():
        rename(wrapper.layer, wrapper.name)
        replacements[id(wrapper)] = wrapper.layer
    for layer in dropped:
        new = PassThrough(name=layer.name, dtype=layer.dtype_policy)
        new.build(None)
        replacements[id(layer)] = new
    return replace_layers(copy, replacements)


def _within(wrapper):
    return wrapper._flatten_layers(include_self=False)


def _chosen(argument, names, layers):
    if names is None:
        return []
    if isinstance(names, str | Mapping) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"`{argument}` must be a list of names of layers. Received: {names!r}. Indices by side "
            "are for this library's own models."
        )
    known = {**layers, **by_name(layers)}
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"`{argument}` must name layers of the model. Received: {unknown}. Give some of "
            f"{', '.join(by_name(layers))}."
        )
    return [known[name] for name in names]


def _check_droppable(layer, every):
    for parent in every.values():
        names = getattr(parent, "sublayer_names", ()) if isinstance(parent, ResidualLayer) else ()
        if any(getattr(parent, name) is layer for name in names):
            raise InputError(
                "A layer in a residual connection passes nothing on that the connection does not. "
                f"Received: {layer.name} in {parent.name}. Drop the layer around it."
            )
    shapes = _shapes(layer)
    if shapes is not None and shapes[0] != shapes[1]:
        raise InputError(
            "A dropped layer passes its input on, so that it must keep its shape. Received: "
            f"{layer.name} from {shapes[0]} to {shapes[1]}. Drop another."
        )


def _shapes(layer):
    """The shapes of a layer's input and output, where both are known."""
    try:
        input_shape = (layer.get_build_config() or {})["input_shape"]
        return tuple(input_shape), tuple(layer.compute_output_shape(input_shape))
    except Exception:  # Whatever a layer may raise that does not tell.
        return None
