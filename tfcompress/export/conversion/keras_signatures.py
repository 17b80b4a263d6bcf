"""The signatures of an exported Keras model, as its user names them."""

import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.export.conversion.saving import save_functions

SERVING = "serving_default"
Batch = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Signature:
    """A function of a Keras model that its bundle has under a name.

    Attributes:
        function: What it computes: a method of the model, or any function of its layers; by default
            the model's call with `training=False`.
        inputs: A batch, as the function takes it, or a `tf.TensorSpec` in place of each array, with
            None where sizes may differ. A tuple holds the positional arguments of a function of
            your own. Where only the model's call is wanted and the model is functional or
            sequential, its own inputs by default. Of a batch, the first size may differ, others
            are those of the batch.
        input_names: Names of the flattened inputs; by default those of `keras.Input`, or the keys
            of dictionaries, or "input_0" and so on.
        output_names: Names of the flattened outputs; by default the keys of dictionaries, the
            names of a functional model's outputs, or "output_0" and so on.

    Example:

    >>> ids = tf.TensorSpec([None, None], tf.int32)
    >>> signatures = {
    ...     "embed": tfc.export.Signature(model.layers[1], ids),
    ...     "score": tfc.export.Signature(input_names=["ids"], output_names=["logits"]),
    ... }
    >>> KerasSignatures(model, signatures, model).names
    ('embed', 'score')
    """

    function: Callable[..., Any] | None = None
    inputs: Any = None
    input_names: Sequence[str] | None = None
    output_names: Sequence[str] | None = None


class KerasSignatures:
    """The functions of a Keras model that are exported.

    Args:
        model: The model, in float32.
        signatures: What the user gave; None for the model's call as "serving_default".
        original: The model that the user gave, where `model` is its float32 twin.
        custom_ops: The custom operations to emit.

    Attributes:
        names: Those of the signatures.

    Raises:
        InputError: If a signature cannot be.
    """

    def __init__(
        self,
        model: keras.Model,
        signatures: Mapping[str, Signature] | None,
        original: keras.Model,
        custom_ops: Collection[str] = (),
    ):
        signatures = {SERVING: Signature()} if signatures is None else signatures
        if not isinstance(signatures, Mapping) or not signatures:
            raise InputError(
                "`signatures` must map names to Signature. Received: "
                f"{type(signatures).__name__}. Give at least one, or leave it out."
            )
        self._model = model
        self._custom_ops = frozenset(custom_ops)
        self._functions = {
            name: _Function(name, one, model, original) for name, one in signatures.items()
        }
        self.names = tuple(self._functions)

    def save(self, path: str) -> None:
        """Writes a SavedModel with the signatures.

        Args:
            path: A new folder.

        Raises:
            InputError: If a function uses variables that are not the model's.
        """
        functions = {name: (f.flat_call, f.specs) for name, f in self._functions.items()}
        try:
            save_functions(path, self._model, functions, self._custom_ops)
        except AssertionError as error:
            if "untracked" not in str(error):
                raise
            raise InputError(
                "A signature may use weights of the model only. Received: a function with "
                "variables of its own. Make their layers attributes of the model."
            ) from error

    def batches(self, argument: str, samples: Any) -> dict[str, list[Batch]]:
        """Returns batches by signature, their arrays by the names of inputs.

        Args:
            argument: What the argument is called.
            samples: A list of batches where there is one signature, or a list for some signatures
                by their names.

        Raises:
            InputError: If a batch does not fit its signature.
        """
        if not isinstance(samples, Mapping):
            if len(self.names) > 1:
                raise InputError(
                    f"`{argument}` must be by signature. Received: {type(samples).__name__} for "
                    f"{', '.join(self.names)}. Map these names to lists of batches."
                )
            samples = dict.fromkeys(self.names, samples)
        if unknown := [name for name in samples if name not in self._functions]:
            raise InputError(
                f"`{argument}` must map signatures to lists of batches. Received: {unknown}, not "
                f"among {', '.join(self.names)}. Put a single batch into a list."
            )
        named = {}
        for name, batches in samples.items():
            if isinstance(batches, Mapping | np.ndarray | tf.Tensor):
                raise InputError(
                    f"`{argument}` must hold batches in a list. Received: "
                    f"{type(batches).__name__} for {name}. Put a single batch into a list."
                )
            named[name] = [self._functions[name].named(argument, batch) for batch in batches]
            if not named[name]:
                raise InputError(
                    f"`{argument}` is empty. Received: no batch for {name}. Give at least one."
                )
        return named

    def default_batches(self) -> dict[str, list[Batch]]:
        """Returns a batch for each signature: its own, or random numbers that it takes.

        Raises:
            InputError: If the model takes no such numbers.
        """
        return {name: [function.batch()] for name, function in self._functions.items()}

    def outputs(self, name: str, batch: Batch) -> dict[str, np.ndarray]:
        """Returns what the model gives, by the names of outputs.

        Args:
            name: The signature.
            batch: Inputs by name.
        """
        results = self._functions[name].flat_call(*batch.values())
        return {name: np.asarray(value) for name, value in results.items()}


class _Function:
    """One function of flat, named inputs, with flat, named outputs.

    Attributes:
        specs: Its inputs.
    """

    def __init__(self, name, signature, model, original):
        if not isinstance(signature, Signature):
            raise InputError(
                f"`signatures` must map names to Signature. Received: {name!r} with "
                f"{type(signature).__name__}. Wrap it: Signature(inputs=...)."
            )
        self._name, self._model, self._output_names = name, model, signature.output_names
        self._function = _rebound(signature.function, original, model)
        own = _own_inputs(model) if signature.function is None else None
        if signature.inputs is None and own is None:
            needs = "a subclassed model" if signature.function is None else "a function"
            raise InputError(
                f"{needs} needs the `inputs` of its signature. Received: none for {name!r} of "
                f"{model.name}. Give a batch as it takes it, or a tf.TensorSpec of each input."
            )
        self._structure = signature.inputs if own is None else own
        self._names = _input_names(own, self._structure)
        names = _checked_names("input_names", signature.input_names, self._names)
        self._signature_names = names
        inputs = own if signature.inputs is None else signature.inputs
        flat = self._leaves("inputs", inputs)
        are_specs = [isinstance(value, tf.TensorSpec) for value in flat]
        if any(are_specs) and not all(are_specs):
            raise InputError(
                "`inputs` must be arrays or tf.TensorSpec, not both. Received: "
                f"{[type(value).__name__ for value in flat]}. Give one of each input."
            )
        self._batch = None if any(are_specs) else inputs
        if self._batch is not None:
            arrays = map(np.asarray, flat)
            flat = tf.nest.flatten(own) if own is not None else map(_spec, arrays)
        self.specs = [tf.TensorSpec(spec.shape, spec.dtype, n) for spec, n in zip(flat, names)]

    def named(self, argument, batch):
        """Returns the inputs of a batch by name, in their types."""
        flat = self._leaves(argument, batch)
        arrays = {
            spec.name: np.asarray(value).astype(spec.dtype.as_numpy_dtype)
            for spec, value in zip(self.specs, flat)
        }
        for spec, value in zip(self.specs, arrays.values()):
            if not spec.shape.is_compatible_with(value.shape):
                raise InputError(
                    f"`{argument}` must fit the signature. Received: shape {value.shape} for "
                    f"{spec.name} {tuple(spec.shape)} of {self._name}. Give each as the model "
                    "takes it."
                )
        return arrays

    def _leaves(self, argument, batch):
        """The inputs of a batch, in the order of the specs: by their places or their names."""
        try:
            return list(_leaves(self._structure, batch))
        except ValueError:
            pass
        if isinstance(batch, Mapping):
            orders = {tuple(order) for order in (self._names, self._signature_names)}
            orders = [order for order in orders if {*order} == {*batch}]
            if len(orders) == 1 and not any(map(_is_nested, batch.values())):
                return [batch[name] for name in orders[0]]
            received = f"the keys {', '.join(map(str, batch))}"
        else:
            flat = tf.nest.flatten(batch)
            if len(flat) == len(self._names) == 1:
                return flat
            received = f"{type(batch).__name__} of {len(flat)}"
        raise InputError(
            f"`{argument}` must have one of each input, in the model's own structure or by name. "
            f"Received: {received} for {self._name!r}. Give {', '.join(self._names)}."
        )

    def batch(self):
        if self._batch is not None:
            return self.named("inputs", self._batch)
        for make in (_normal, _small_whole):
            rng = np.random.default_rng(0)
            batch = {spec.name: make(rng, spec) for spec in self.specs}
            try:
                self.flat_call(*batch.values())
                return batch
            except Exception as error:  # Whatever a model may raise that takes no such numbers.
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"The bundle is compared with the model on random numbers, which {self._name!r} does "
            f"not take. Received: {reason}. Give `samples`, a list of batches."
        )

    def flat_call(self, *flat):
        flat = list(map(tf.convert_to_tensor, flat))
        inputs = tf.nest.pack_sequence_as(self._structure, flat)
        if self._function is None:
            outputs = self._model(inputs, training=False)
        else:
            outputs = self._function(*inputs) if type(inputs) is tuple else self._function(inputs)
        model = self._model if self._function is None else None
        default = _default_output_names(model, outputs)
        names = _checked_names("output_names", self._output_names, default)
        return dict(zip(names, tf.nest.flatten(outputs)))


def _is_nested(value):
    return isinstance(value, Mapping | list | tuple)


def _leaves(structure, values) -> Iterator[Any]:
    """The values of a structure like another; ValueError where it is not like it."""
    if isinstance(structure, Mapping):
        if not isinstance(values, Mapping) or {*values} != {*structure}:
            raise ValueError
        for key in sorted(structure):
            yield from _leaves(structure[key], values[key])
    elif isinstance(structure, list | tuple):
        if not isinstance(values, list | tuple) or len(values) != len(structure):
            raise ValueError
        for inner, value in zip(structure, values):
            yield from _leaves(inner, value)
    elif _is_nested(values):
        raise ValueError
    else:
        yield values


def _rebound(function, original, model):
    """A method of the float32 twin, where the method is the original model's."""
    if function is None or model is original:
        return function
    if getattr(function, "__self__", None) is not original:
        raise InputError(
            "A function of your own cannot follow a model that computes in half precision. "
            f"Received: {original.dtype_policy.name}. Make the model anew in float32 and give it "
            "these weights, then export that."
        )
    return types.MethodType(function.__func__, model)


def _own_inputs(model):
    """The inputs of a functional model, as specs in their structure; None of any other."""
    keras_inputs = getattr(model, "inputs", None)
    if not keras_inputs:
        return None
    specs = [tf.TensorSpec(x.shape, x.dtype, x.name) for x in keras_inputs]
    structure = getattr(model, "_inputs_struct", getattr(model, "_nested_inputs", None))
    if structure is None:
        return specs[0] if len(specs) == 1 else specs
    return tf.nest.pack_sequence_as(structure, specs)


def _spec(array):
    return tf.TensorSpec([None, *array.shape[1:]] if array.ndim else [], array.dtype)


def _input_names(own, values):
    if own is not None:
        return [spec.name for spec in tf.nest.flatten(own)]
    if isinstance(values, tf.TensorSpec) and values.name:
        return [values.name]
    return _path_names(values, "input")


def _default_output_names(model, outputs):
    names = list(getattr(model, "output_names", None) or ())
    if not isinstance(outputs, Mapping) and len({*names}) == len(tf.nest.flatten(outputs)):
        return names
    return _path_names(outputs, "output")


def _path_names(structure, word):
    """The keys that lead to each leaf; numbers where there are none."""
    return [name or f"{word}_0" for name in _paths(structure, "", word)]


def _paths(structure, prefix, word) -> Iterator[str]:
    if isinstance(structure, Mapping):
        # In the order of `tf.nest`.
        for key in sorted(structure):
            yield from _paths(structure[key], f"{prefix}_{key}" if prefix else str(key), word)
    elif isinstance(structure, list | tuple):
        for index, value in enumerate(structure):
            yield from _paths(value, f"{prefix or word}_{index}", word)
    else:
        yield prefix


def _checked_names(argument, names, default):
    names = default if names is None else list(names)
    if len(names) != len(default):
        raise InputError(
            f"`{argument}` must name each one. Received: {names} for {len(default)}. Give as many."
        )
    # Of a SavedModel's functions, arguments are Python names.
    names = [re.sub(r"\W", "_", name.split(":")[0]) for name in names]
    if len({*names}) < len(names):
        raise InputError(
            f"`{argument}` must differ. Received: {names}. Give names that tell them apart."
        )
    return names


def _normal(rng, spec):
    return _random(rng, spec, lambda shape: rng.normal(size=shape))


def _small_whole(rng, spec):
    return _random(rng, spec, lambda shape: rng.integers(0, 2, shape))


def _random(rng, spec, make):
    """Floats as they are; of integers 0 and 1, which every table of at least two rows has."""
    sizes = [size or (2 if axis == 0 else 5) for axis, size in enumerate(spec.shape)]
    values = make(sizes) if spec.dtype.is_floating else rng.integers(0, 2, sizes)
    return np.asarray(values).astype(spec.dtype.as_numpy_dtype)
