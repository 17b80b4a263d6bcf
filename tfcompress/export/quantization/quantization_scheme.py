"""The data type of every weight of a bundle, by regular expressions over their names."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.export.quantization.schemes import check_scheme
from tfcompress.expressions import compile_expression
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models import Seq2SeqTransformer, TextEncoder


class WeightNames:
    """Finds the names of a model's matrices and tables by what they hold.

    Conversion gives constants names of its own, or none, so that their content is what is left to
    know them by. Weights of the same content have the name of the first.

    Args:
        transformer: The model, in float32: a Seq2SeqTransformer, a TextEncoder or a Keras model.

    Attributes:
        names: The name of the model's layer, a slash and the weight's path within it, in order.
    """

    def __init__(self, transformer: Seq2SeqTransformer | TextEncoder | keras.Model):
        self.names: list[str] = []
        self._known: dict[tuple, list[tuple[np.ndarray, str]]] = {}
        model: Any = getattr(transformer, "model", transformer)
        for layer in model.layers:
            for slot in weight_slots(layer):
                values = _without_group(np.asarray(slot.get(), np.float32))
                name = f"{layer.name}/{slot.path}"
                self.names.append(name)
                self._known.setdefault(_key(values), []).append((values, name))

    def find(self, values: np.ndarray) -> str | None:
        """Returns the name of a weight, which may be transposed; None if it is of no layer.

        Args:
            values: A constant of the converted model.
        """
        values = _without_group(values)
        for known, name in self._known.get(_key(values), []):
            if any(np.array_equal(values, other) for other in _orientations(known)):
                return name
        return None


class QuantizationScheme:
    """Says what weights are stored as.

    Args:
        scheme: What weights are stored as ("float32", "float16", "int8", "int4" in blocks of 32 or
            "int4_per_channel"), by regular expressions that are searched for in their names: the
            name of the model's layer, a slash and the weight's path within it, such as
            "encoder_layer_0/feed_forward/inner/kernel". The first that matches counts.
        names: The model's.

    Raises:
        InputError: If an expression is none or matches no name, or there is no such type.

    Example:

    >>> names = WeightNames(transformer)
    >>> scheme = QuantizationScheme({"embedding/": "int8", "^decoder": "int4"}, names)
    """

    def __init__(self, scheme: Mapping[str, str], names: WeightNames):
        check_scheme(scheme)
        self._names = names
        self._types = {}
        for expression, weight_type in scheme.items():
            pattern = compile_expression("quantization_scheme", expression)
            if not any(map(pattern.search, names.names)):
                raise InputError(
                    "`quantization_scheme` must name weights of the model. Received: "
                    f"{expression!r}, which matches none of {', '.join(names.names)}. Name some."
                )
            self._types[pattern] = weight_type

    def __call__(self, values: np.ndarray) -> str | None:
        """Returns what a weight is stored as, or None if the scheme does not name it."""
        name = self._names.find(values)
        return None if name is None else _first(self._types, name)


def _first(types, name):
    return next((one for pattern, one in types.items() if pattern.search(name)), None)


def _orientations(values) -> Iterable[np.ndarray]:
    yield values
    if values.ndim > 1:
        yield np.swapaxes(values, -1, -2)
    if values.ndim > 2:
        # Keras' attentions keep heads apart; products have them side by side.
        for matrix in (values.reshape(len(values), -1), values.reshape(-1, values.shape[-1])):
            yield matrix
            yield matrix.T


def _without_group(values):
    """A matrix of one group is an ordinary one."""
    return values[0] if values.ndim == 3 and len(values) == 1 else values


def _key(values):
    """What is the same for a matrix and its transpose, and cheap."""
    return values.size, float(values.flat[0]), float(values.flat[-1])
