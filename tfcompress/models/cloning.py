"""Copies of models, layer by layer, through models that are layers of other models."""

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.layers.common.weight_slots import weight_slots

Layer = keras.layers.Layer
_KERAS_3 = hasattr(keras, "ops")


def is_graph(layer: Layer) -> bool:
    """Returns whether a layer is a functional or sequential model."""
    functional = (
        hasattr(layer, "_run_through_graph")
        if _KERAS_3
        else getattr(layer, "_is_graph_network", False)
    )
    return isinstance(layer, keras.Sequential) or functional


def leaf_layers(model: keras.Model) -> dict[str, Layer]:
    """Returns the layers of a model, those of functional and sequential models within it included.

    Args:
        model: A functional or sequential model, wrapped or not.

    Returns:
        Each layer once, by the names that lead to it, such as `encoder/dense`. A wrapped layer has
        the name of the layer within.
    """
    leaves, seen = {}, set()

    def visit(parent, prefix):
        for layer in parent.layers:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            path = prefix + wrapped(layer).name
            if is_graph(layer):
                visit(layer, f"{path}/")
            else:
                leaves[path] = layer

    visit(model, "")
    return leaves


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
            copies[id(layer)] = clone_graph(layer, visit) if is_model else copy(layer)
        return copies[id(layer)]

    return clone_graph(model, visit)


def clone_graph(parent: keras.Model, copy: Callable[[Layer], Layer]) -> keras.Model:
    """Returns a functional or sequential model with other layers; models within are layers too.

    Args:
        parent: The model.
        copy: Returns what takes a layer's place.
    """

    def visit(layer):
        # What Keras 3 makes of `x + y` is no layer and has no state.
        return copy(layer) if isinstance(layer, Layer) else layer

    compiled = getattr(parent, "compiled", False)
    if compiled:
        parent.compiled = False  # Keras 3 would compile the clone.
    try:
        result = keras.models.clone_model(parent, clone_function=visit)
    finally:
        if compiled:
            parent.compiled = True
    if not result.built:
        result.build(_input_shape(parent))
    # Names of outputs are those of layers; losses and metrics are given by them.
    if not _KERAS_3 and hasattr(parent, "output_names"):
        result.output_names = list(parent.output_names)
    result._trainable = parent._trainable
    return result


def copy_layer(layer: Layer) -> Layer:
    """Returns a new layer from a layer's configuration, with its name and trainable flags.

    Args:
        layer: A layer, or a wrapped one, of which only what is within is copied.

    Raises:
        InputError: If the layer's class has no working `get_config`.
    """
    layer = wrapped(layer)
    try:
        copy = _from_config(type(layer), layer.get_config())
    except Exception as error:  # Whatever a class of the user's own may raise.
        raise _no_copy(layer, f"{type(error).__name__}: {error}".splitlines()[0]) from error
    rename(copy, layer.name)
    if not is_graph(layer):
        _repair(layer, copy, {})
    return copy


def _from_config(layer_class, config):
    parameters = inspect.signature(layer_class.__init__).parameters.values()
    of_keras = layer_class.from_config.__func__ in (
        cls.from_config.__func__ for cls in (Layer, keras.Model)
    )
    if not of_keras or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return layer_class.from_config(config)
    # Many constructors do not take what Keras adds, such as `trainable`.
    names = {parameter.name for parameter in parameters}
    return layer_class(**{name: value for name, value in config.items() if name in names})


def rename(layer: Layer, name: str) -> None:
    """Gives a layer a name."""
    if layer.name == name:
        return
    if _KERAS_3:
        layer.name = name
    else:
        layer._name = name


def copy_model(model: keras.Model) -> keras.Model:
    """Returns a model with copies of all layers and their weights.

    Args:
        model: A built model of any class, without wrappers.

    Raises:
        InputError: If a layer's class has no working `get_config`, or makes weights that its
            constructor and `build` do not make.
    """
    if not is_graph(model):
        copy = copy_layer(model)
        try:
            _build_like(model, copy)
        except Exception as error:  # Whatever a class of the user's own may raise.
            raise _no_copy(model, f"{type(error).__name__}: {error}".splitlines()[0]) from error
        _copy_state(model, copy)
        return copy
    copy = clone(model, copy_layer)
    for layer, other in zip(leaf_layers(model).values(), leaf_layers(copy).values(), strict=True):
        _copy_state(layer, other)
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
        others = [weight for weight in wrapped(layer).weights if id(weight) not in taken]
        rest = [weight for weight in copy.weights if id(weight) not in places]
        for weight, value in zip(rest, others, strict=True):
            weight.assign(value)
        for slot in slots:
            slot.get().assign(values[slot.path][1])


def replace_layers(model: keras.Model, replacements: Mapping[int, Layer]) -> keras.Model:
    """Puts other layers into the places of a model's layers, at any nesting level.

    Args:
        model: A model of any class; it is used up.
        replacements: New layers, built, by the ids of the old ones. Layers within new ones may be
            replaced too.

    Returns:
        The model, or where layers of a graph were replaced, another one of the same structure.

    Raises:
        InputError: If a layer stands where it cannot be replaced.
    """
    done = {}

    def visit(layer):
        if id(layer) not in done:
            done[id(layer)] = layer
            done[id(layer)] = inside(replacements.get(id(layer), layer))
        return done[id(layer)]

    def inside(layer):
        if is_graph(layer):
            changed = [visit(child) is not child for child in layer.layers]
            return clone_graph(layer, visit) if any(changed) else layer
        for place in list(_places(layer)):
            old = place.get()
            new = visit(old)
            if new is not old:
                place.put(new)
        for child in layer._flatten_layers(recursive=False, include_self=False):
            if id(child) in replacements:
                raise InputError(
                    f"{child.name} stands where it cannot be replaced. Received: "
                    f"{type(layer).__name__} {layer.name}. Keep it in an attribute, or in a list "
                    "or dictionary that is one."
                )
        return layer

    try:
        return visit(model)
    except InputError:
        raise
    except Exception as error:  # Whatever a layer may raise that is called anew.
        reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
        raise InputError(
            f"{model.name} does not take other layers in these places. Received: {reason}. Leave "
            "out the layers whose weights or sizes others read."
        ) from error


class _Place:
    """Where a layer holds another: an attribute, or an entry of a list or dictionary that is one.

    Args:
        owner: The layer.
        attribute: The attribute.
        keys: What leads from its value to the entry.
    """

    def __init__(self, owner: Layer, attribute: str, keys: tuple = ()):
        self._owner, self._attribute, self._keys = owner, attribute, keys
        self.path = (attribute, *keys)

    def get(self):
        value = getattr(self._owner, self._attribute)
        for key in self._keys:
            value = value[key]
        return value

    def put(self, layer):
        tracked = None if _KERAS_3 else list(self._owner._self_tracked_trackables)
        if _KERAS_3:
            # Built layers are locked.
            tracker, old = self._owner._tracker, self.get()
            if tracker.is_in_store("layers", old):
                if tracker.is_in_store("layers", layer):
                    tracker.untrack(old)
                else:
                    tracker.replace_tracked_value("layers", old, layer)
        before = getattr(self._owner, self._attribute)
        # Collections of its own: Keras 2 takes those that changed for damaged.
        setattr(self._owner, self._attribute, _with(before, self._keys, layer))
        if not _KERAS_3:
            after = getattr(self._owner, self._attribute)
            _keep_order(self._owner._self_tracked_trackables, tracked, before, after)


def _keep_order(now, tracked, before, after):
    """Puts what Keras 2 tracks anew where it tracked what stood there: weights have that order."""
    places = [index for index, value in enumerate(tracked) if value is before]
    new_places = [index for index, value in enumerate(now) if value is after]
    if places and new_places and not any(value is before for value in now):
        now.insert(places[0], now.pop(new_places[-1]))


def _with(value, keys, entry):
    if not keys:
        return entry
    key, *rest = keys
    if isinstance(value, Mapping):
        return {k: _with(v, rest, entry) if k == key else v for k, v in value.items()}
    values = [_with(v, rest, entry) if i == key else v for i, v in enumerate(value)]
    return tuple(values) if isinstance(value, tuple) else values


def _places(owner) -> Iterator[_Place]:
    def inside(attribute, value, keys):
        if isinstance(value, Layer):
            yield _Place(owner, attribute, keys)
        elif isinstance(value, Mapping):
            for key, entry in value.items():
                yield from inside(attribute, entry, (*keys, key))
        elif isinstance(value, list | tuple):
            for index, entry in enumerate(value):
                yield from inside(attribute, entry, (*keys, index))

    for attribute, value in list(vars(owner).items()):
        if attribute not in _BOOKKEEPING:
            yield from inside(attribute, value, ())


# Where Keras itself notes the layers within a layer.
_BOOKKEEPING = frozenset(
    [
        "_layers",
        "_metrics",
        "_tracker",
        "_tracked",
        "_inbound_nodes",
        "_outbound_nodes",
        "_self_tracked_trackables",
        "_obj_reference_counts_dict",
        "_self_unconditional_checkpoint_dependencies",
        "_self_unconditional_dependency_names",
    ]
)


def _repair(original, copy, repaired):
    """Puts copies of those layers into a copy that its constructor made otherwise.

    After surgery, a layer or model may hold others than its constructor makes.
    """
    copied = {place.path: place for place in _places(copy)}
    for place in _places(original):
        if place.path not in copied:
            continue
        inner, other = place.get(), copied[place.path].get()
        if id(inner) not in repaired:
            repaired[id(inner)] = other
            if _differ(inner, other):
                repaired[id(inner)] = (
                    copy_layer(inner) if not is_graph(inner) else clone(inner, copy_layer)
                )
            elif not is_graph(inner):
                _repair(inner, other, repaired)
        if repaired[id(inner)] is not other:
            copied[place.path].put(repaired[id(inner)])


def _differ(layer, other):
    if is_graph(layer) and is_graph(other):
        leaves = (list(leaf_layers(graph).values()) for graph in (layer, other))
        pairs = list(itertools.zip_longest(*leaves))
        return any(None in pair or _differ(*pair) for pair in pairs)
    return type(layer) is not type(other) or _config(layer) != _config(other)


def _config(layer):
    """What a layer's configuration says of it, whatever its name and wherever it was built."""
    try:
        return repr(_plain_config(layer.get_config()))
    except Exception:  # A class of the user's own need not have any.
        return None


def _plain_config(value):
    if isinstance(value, Mapping):
        kept = sorted(value.keys() - _NO_CONFIG)
        return {key: _plain_config(value[key]) for key in kept}
    return list(map(_plain_config, value)) if isinstance(value, list | tuple) else value


_NO_CONFIG = frozenset(
    (
        *("name", "trainable", "shared_object_id", "build_config", "build_input_shape"),
        *("batch_input_shape", "query_shape", "key_shape", "value_shape"),
    )
)


def _build_like(original, copy):
    """Makes the weights of a layer that nobody has called, as another's were made."""
    if not _KERAS_3 and isinstance(copy, keras.Model):
        args, kwargs = original.save_spec(dynamic_batch=False) or ((), {})
        zeros = tf.nest.map_structure(
            lambda spec: tf.zeros([size or 1 for size in spec.shape], spec.dtype), (args, kwargs)
        )
        copy(*zeros[0], **zeros[1])
        return
    if _KERAS_3 and not copy.built and not getattr(type(copy).build, "_is_default", False):
        copy.build_from_config(original.get_build_config())
    pairs = (x._flatten_layers(recursive=False, include_self=False) for x in (original, copy))
    for inner, other in zip(*pairs):
        if inner.built and not other.built:
            _build_like(inner, other)
    copy.built = True


def _copy_state(original, copy):
    layers, others = (list(layer._flatten_layers()) for layer in (original, copy))
    shapes, received = (
        [w.shape for layer in x for w in _own_weights(layer)] for x in (layers, others)
    )
    if shapes != received or len(layers) != len(others):
        raise _no_copy(original, f"weights of {received} instead of {shapes}")
    _liken(original, copy)
    for layer, other in zip(layers, others):
        for weight, value in zip(_own_weights(other), _own_weights(layer)):
            weight.assign(value)
            if _KERAS_3:
                weight.trainable = value.trainable


def _own_weights(layer):
    if _KERAS_3:
        return [*layer._trainable_variables, *layer._non_trainable_variables]
    return [*layer._trainable_weights, *layer._non_trainable_weights]


def _input_shape(model):
    if _KERAS_3:
        return (model.get_build_config() or {}).get("input_shape")
    return model._build_input_shape


def _liken(layer, copy):
    """Gives the layers within a copy the names of the original's, and freezes what is frozen."""
    pairs = list(zip(layer._flatten_layers(), copy._flatten_layers()))
    names = {other.name: inner.name for inner, other in pairs}
    for inner, other in pairs:
        rename(other, inner.name)
        other._trainable = inner._trainable
    for inner, other in [] if _KERAS_3 else pairs:
        # Keras 2 knows the nodes of a graph by the names of layers.
        if is_graph(other) and hasattr(other, "_network_nodes"):
            nodes = (node.rsplit("_ib-", 1) for node in other._network_nodes)
            other._network_nodes = {f"{names[name]}_ib-{index}" for name, index in nodes}
            other.output_names = list(inner.output_names)


def _no_copy(layer, reason):
    return InputError(
        f"The layer {layer.name} cannot be made again from its configuration. Received: "
        f"{type(layer).__name__} ({reason}). Give the class a `get_config` with every argument of "
        "its constructor, and let that or `build` make its weights."
    )
