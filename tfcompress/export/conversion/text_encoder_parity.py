"""Compares a text encoder's bundle with the model that it was made from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.export.conversion import parity
from tfcompress.models import TextEncoder
from tfcompress.runtime.text_encoder_bundle import (
    CLASSIFICATION,
    MULTI_LABEL,
    TOKEN_CLASSIFICATION,
)

# Of float32, as a part of the largest value.
_TOLERANCE = 1e-4


def _largest(logits):
    return logits.argmax(axis=1, keepdims=True)


# The classes that logits stand for, by the task of the head.
_CLASSES = {
    CLASSIFICATION: _largest,
    TOKEN_CLASSIFICATION: _largest,
    MULTI_LABEL: lambda logits: logits >= 0,
}


def compare(model: TextEncoder, folder: Path, samples: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Runs a bundle and the model that it was made from on the same texts.

    Every other text is a pair, where the model has token types.

    Args:
        model: The model, in float32.
        folder: The bundle.
        samples: Token ids.

    Returns:
        What `parity.compare` does, over all rows (texts, or tokens where there is a result for
        each); and `rows`, their number; `mean_cosine` and `min_cosine`; and with classes
        `identical_classes`, the part of rows with the same class or classes.
    """
    calls = [(ids, _types(model.config, number, ids)) for number, ids in enumerate(samples)]
    expected = [_model_outputs(model, *call) for call in calls]

    def measure(bundle, engine):
        actual = [engine.run(*call) for call in calls]
        return _metrics(actual, expected, _CLASSES.get(bundle.head))

    return parity.compare(folder, measure, len(calls))


def check(metrics: Mapping[str, Any], quantization: str) -> None:
    """Makes sure that a bundle computes what its model does.

    Args:
        metrics: What `compare` returned.
        quantization: The bundle's. Only float32 must be the same; for others it is enough that
            results are finite.

    Raises:
        ExportError: If it does not.
    """
    parity.check_finite(metrics)
    if quantization == "float32":
        parity.check_close(metrics, "a layer does not compute the same without padding")


def _types(config, number, ids):
    """Token types: the second half of every other text is of type 1."""
    if config.token_types < 2 or number % 2 == 0:
        return None
    return [int(position >= len(ids) // 2) for position in range(len(ids))]


def _model_outputs(model, ids, types):
    inputs = {"token_ids": np.array([ids], np.int32)}
    if model.config.token_types:
        inputs["token_type_ids"] = np.array([types or [0] * len(ids)], np.int32)
    outputs = model.model(inputs, training=False)
    return {name: np.asarray(value)[0] for name, value in outputs.items()}


def _metrics(actual, expected, classes_of):
    pairs = [
        (np.atleast_2d(value), np.atleast_2d(results[name]))
        for results, outputs in zip(actual, expected)
        for name, value in outputs.items()
    ]
    cosines = np.concatenate([_cosines(a, b) for a, b in pairs])
    largest = max(float(np.abs(a).max()) for a, _ in pairs)
    classes = {}
    if classes_of is not None:
        same = [np.all(classes_of(a) == classes_of(b), axis=1) for a, b in pairs]
        classes = {"identical_classes": float(np.concatenate(same).mean())}
    return {
        "rows": len(cosines),
        "max_difference": max(float(np.abs(a - b).max()) for a, b in pairs),
        "tolerance": _TOLERANCE * max(largest, 1.0),
        "mean_cosine": float(cosines.mean()),
        "min_cosine": float(cosines.min()),
        **classes,
    }


def _cosines(a, b):
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.sum(a * b, axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny)
