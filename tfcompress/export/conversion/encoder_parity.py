"""Compares a text encoder's bundle with the model that it was made from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.export.conversion.samples import random_ids
from tfcompress.export.errors import ExportError
from tfcompress.models import TextEncoder, TextEncoderConfig
from tfcompress.runtime.encoder_bundle import (
    CLASSIFICATION,
    MULTI_LABEL,
    TOKEN_CLASSIFICATION,
    open_encoder_bundle,
)
from tfcompress.runtime.encoder_engine import open_encoder_engine
from tfcompress.runtime.native_files import native_library

_RANDOM_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
# Of float32, as a part of the largest value.
_TOLERANCE = 1e-4


def _largest(logits):
    return logits.argmax(axis=1, keepdims=True)


# The classes that logits stand for, by the kind of head.
_CLASSES = {
    CLASSIFICATION: _largest,
    TOKEN_CLASSIFICATION: _largest,
    MULTI_LABEL: lambda logits: logits >= 0,
}


def random_samples(config: TextEncoderConfig) -> list[list[int]]:
    """Returns random texts of several lengths, up to the longest.

    Args:
        config: The model's.
    """
    lengths = {min(length, config.max_length) for length in _RANDOM_LENGTHS} | {config.max_length}
    return random_ids(sorted(lengths), config.vocabulary_size, [config.pad_id])


def compare(encoder: TextEncoder, folder: Path, samples: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Runs a bundle and the model it was made from on the same texts.

    Every other text is a pair, where the model has token types. The bundle runs in Python, unless
    it needs custom operations, and in the native runtime where that is built.

    Args:
        encoder: The model, in float32.
        folder: The bundle.
        samples: Token ids.

    Returns:
        Figures over all rows (texts, or tokens where there is a result for each): `samples`;
        `rows`; `max_difference`; `tolerance`, how much of it is allowed in float32; `mean_cosine`
        and `min_cosine`; with classes `identical_classes`, the part of rows with the same class or
        classes; and `native`, the same figures of the native runtime, or None where it is not
        built.
    """
    bundle = open_encoder_bundle(folder, verify=False)
    calls = [(ids, _types(encoder.config, number, ids)) for number, ids in enumerate(samples)]
    theirs = [_model_outputs(encoder, *call) for call in calls]
    engines = {False: None, True: None}
    for native in engines:
        if native_library() is not None if native else not bundle.custom_ops:
            engine = open_encoder_engine(bundle, native=native)
            ours = [engine.run(*call) for call in calls]
            engines[native] = _figures(theirs, ours, _CLASSES.get(bundle.head))
            engine.close()
    figures = engines[False] or engines[True]
    return {"samples": len(calls), **figures, "native": engines[True]}


def check(figures: dict[str, Any], quantization: str) -> None:
    """Makes sure that a bundle computes what its model does.

    Args:
        figures: What `compare` returned.
        quantization: The bundle's. Only float32 must be the same; for others it is enough that
            results are finite.

    Raises:
        ExportError: If it does not.
    """
    for found in (figures, figures["native"] or figures):
        difference = found["max_difference"]
        if not np.isfinite(difference):
            raise ExportError(
                "the exported model gives results that are not finite; check its weights"
            )
        if quantization == "float32" and difference > found["tolerance"]:
            raise ExportError(
                f"the exported model's results differ from the Keras model's by up to "
                f"{difference:.2g}; a layer does not compute the same without padding"
            )


def _types(config, number, ids):
    """Token types: the second half of every other text is of type 1."""
    if config.token_types < 2 or number % 2 == 0:
        return None
    return [int(position >= len(ids) // 2) for position in range(len(ids))]


def _model_outputs(encoder, ids, types):
    inputs = {"token_ids": np.array([ids], np.int32)}
    if encoder.config.token_types:
        inputs["token_type_ids"] = np.array([types or [0] * len(ids)], np.int32)
    outputs = encoder.model(inputs, training=False)
    return {name: np.asarray(value)[0] for name, value in outputs.items()}


def _figures(theirs, ours, classes_of):
    pairs = [
        (name, np.atleast_2d(expected), np.atleast_2d(found[name]))
        for outputs, found in zip(theirs, ours)
        for name, expected in outputs.items()
    ]
    cosines = np.concatenate([_cosines(a, b) for _, a, b in pairs])
    largest = max(float(np.abs(a).max()) for _, a, _ in pairs)
    classes = {}
    if classes_of is not None:
        same = [np.all(classes_of(a) == classes_of(b), axis=1) for _, a, b in pairs]
        classes = {"identical_classes": float(np.concatenate(same).mean())}
    return {
        "rows": len(cosines),
        "max_difference": max(float(np.abs(a - b).max()) for _, a, b in pairs),
        "tolerance": _TOLERANCE * max(largest, 1.0),
        "mean_cosine": float(cosines.mean()),
        "min_cosine": float(cosines.min()),
        **classes,
    }


def _cosines(a, b):
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.sum(a * b, axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny)
