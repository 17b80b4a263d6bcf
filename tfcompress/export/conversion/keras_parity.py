"""Compares a Keras model's bundle with the model that it was made from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.export.conversion.keras_signatures import Batch, KerasSignatures
from tfcompress.export.errors import ExportError
from tfcompress.runtime.keras_model import KerasModel

# Of the largest output.
_TOLERANCE = 1e-3
# Of whole numbers, such as those of an argmax, a few may differ where two floats nearly tie.
_IDENTICAL = 0.99


def compare(
    signatures: KerasSignatures, folder: Path, samples: Mapping[str, Sequence[Batch]]
) -> dict[str, dict[str, Any]]:
    """Runs a bundle and the model it was made from on the same batches.

    Args:
        signatures: The model's, in float32.
        folder: The bundle.
        samples: Batches by signature.

    Returns:
        For each signature `samples`, the number of its batches; of its floating-point outputs
        `max_difference`, `relative_difference` (to the largest value of the same output),
        `tolerance`, how much of that is allowed in float32, and `mean_cosine` (over rows along the
        last axis); and of other outputs `identical`, the part of values that are the same.

    Raises:
        ExportError: If LiteRT cannot run the model, or outputs have other shapes.
    """
    with KerasModel(folder, verify=False) as model:
        return {
            name: _metrics(
                [
                    (signatures.outputs(name, batch), model.run(batch, signature=name))
                    for batch in batches
                ]
            )
            for name, batches in samples.items()
        }


def check(metrics: Mapping[str, Mapping[str, Any]], quantization: str) -> None:
    """Makes sure that a bundle computes what its model does.

    Args:
        metrics: What `compare` returned.
        quantization: The bundle's. Only float32 must be the same; for others it is enough that
            results are finite.

    Raises:
        ExportError: If it does not.
    """
    for name, one in metrics.items():
        difference = one.get("relative_difference", 0.0)
        if not np.isfinite(difference):
            raise ExportError(
                "The exported model gives results that are not finite where the model's are. "
                f"Received: signature {name!r}. Check its weights."
            )
        if quantization == "float32" and (
            difference > _TOLERANCE or one.get("identical", 1.0) < _IDENTICAL
        ):
            raise ExportError(
                "The exported model does not compute what the model does. Received: outputs of "
                f"{name!r} that differ by {difference:.2g} of the largest. Replace unusual layers."
            )


def _metrics(pairs):
    largest, differences, cosines, identical = {}, {}, [], []
    for expected, actual in pairs:
        for name, value in expected.items():
            other = actual[name]
            if value.shape != other.shape:
                raise ExportError(
                    f"The exported model gives another shape. Received: {name} {other.shape} "
                    f"instead of {value.shape}. Replace unusual layers."
                )
            if value.dtype.kind != "f":
                identical.append(np.mean(value == other) if value.size else 1.0)
                continue
            value, other = value.astype(np.float64), other.astype(np.float64)
            finite = value[np.isfinite(value)]
            largest[name] = max(largest.get(name, 0.0), np.abs(finite).max(initial=0.0))
            differences[name] = max(differences.get(name, 0.0), _difference(value, other))
            cosines += _cosines(value, other)
    metrics: dict[str, Any] = {"samples": len(pairs)}
    if differences:
        metrics["max_difference"] = float(max(differences.values()))
        metrics["relative_difference"] = float(
            max(differences[name] / (largest[name] or 1.0) for name in differences)
        )
        metrics["tolerance"] = _TOLERANCE
        metrics["mean_cosine"] = float(np.mean(cosines)) if cosines else 1.0
    if identical:
        metrics["identical"] = float(np.mean(identical))
    return metrics


def _difference(value, other):
    """The largest one; infinite where only one of the two is finite."""
    same = (value == other) | (np.isnan(value) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        differences = np.where(same, 0.0, np.abs(value - other))
    return float(np.nan_to_num(differences, nan=np.inf).max(initial=0.0))


def _cosines(value, other):
    if not value.size or not (np.isfinite(value) & np.isfinite(other)).all():
        return []
    a, b = (np.atleast_2d(x).reshape(-1, x.shape[-1] if x.ndim else 1) for x in (value, other))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    used = lengths > np.finfo(np.float32).tiny
    return list(np.sum(a * b, axis=1)[used] / lengths[used])
