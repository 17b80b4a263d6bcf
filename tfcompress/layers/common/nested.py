"""Finds layers inside models and other layers, at any nesting level."""

import collections
import re
from collections.abc import Iterable

from tensorflow import keras


def named_layers(
    parent: keras.layers.Layer, layer_type: type | tuple[type, ...]
) -> dict[str, keras.layers.Layer]:
    """Returns the layers of a type inside a model or layer, each once, in the model's order.

    In functional and sequential models this is the order of application, elsewhere the order in
    which layers were assigned.

    Args:
        parent: A model or layer, which may itself be of the type.
        layer_type: A class of layers, or several.

    Returns:
        Layers by their paths, such as `encoder_layer_0/attention`: the attribute that holds each
        layer, or its own name where it stands in a list or a functional model.
    """
    layers_by_path = {parent.name: parent} if isinstance(parent, layer_type) else {}
    seen = set()

    def visit(layer, prefix):
        for child in layer._flatten_layers(recursive=False, include_self=False):
            if id(child) in seen:
                continue
            seen.add(id(child))
            path = prefix + _name_in(layer, child)
            if isinstance(child, layer_type):
                layers_by_path[_unused(path, layers_by_path)] = child
            visit(child, f"{path}/")

    visit(parent, "")
    return layers_by_path


def _name_in(parent, child):
    attribute = next((name for name, value in vars(parent).items() if value is child), child.name)
    return attribute.lstrip("_")


def _unused(path, layers_by_path):
    """Equal names in one list are told apart by a number."""
    number, unused = 1, path
    while unused in layers_by_path:
        number, unused = number + 1, f"{path}_{number}"
    return unused


def select_layers(
    layers: dict[str, keras.layers.Layer], names: str | Iterable[str] | None
) -> dict[str, keras.layers.Layer]:
    """Returns the layers whose paths match.

    Args:
        layers: What `named_layers` returned.
        names: A regular expression to search paths and names for, a collection of paths or names,
            or None for all.

    Raises:
        ValueError: If a given name is no layer's, or the expression is not valid.
    """
    if names is None:
        return layers
    if isinstance(names, str):
        search = compile_names(names).search
        return {path: x for path, x in layers.items() if search(path) or search(x.name)}
    names = list(names)
    known = {*layers, *(layer.name for layer in layers.values())}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"The model must have the selected layers. Received: {unknown}, not among "
            f"{list(layers)}. Pass names of these, a regular expression, or None for all."
        )
    return {path: x for path, x in layers.items() if path in names or x.name in names}


def compile_names(names: str) -> re.Pattern:
    """Compiles a regular expression for names of layers, or raises ValueError."""
    try:
        return re.compile(names)
    except re.error as error:
        raise ValueError(
            f"A selection of layers must be a valid regular expression. Received: {names!r} "
            f"({error}). Escape it, or pass a list of names."
        ) from error


def by_name(layers: dict[str, keras.layers.Layer]) -> dict[str, keras.layers.Layer]:
    """Returns the layers of `named_layers` by their own names, by path where these repeat."""
    counts = collections.Counter(layer.name for layer in layers.values())
    return {x.name if counts[x.name] == 1 else path: x for path, x in layers.items()}
