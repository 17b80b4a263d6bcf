"""Compares a bundle with the model that it was made from, in every runtime that is here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.export.errors import ExportError
from tfcompress.runtime import open_bundle, open_engine
from tfcompress.runtime.native_files import native_library


def compare(
    folder: Path, measure: Callable[[Any, Any], dict[str, Any]], samples: int
) -> dict[str, Any]:
    """Measures how far a bundle and its model differ.

    Args:
        folder: The bundle.
        measure: Returns the metrics of an opened bundle that an engine runs: `max_difference`, the
            largest difference of a result; `tolerance`, how much of it is allowed in float32; and
            others of its type of model.
        samples: The number of samples.

    Returns:
        `samples`; the metrics in Python, or in the native runtime where the model needs custom
        operations; and `native`, those in the native runtime, or None where it is not built.
    """
    bundle = open_bundle(folder, verify=False)
    metrics: dict[bool, Any] = {False: None, True: None}
    for native in metrics:
        if native_library() is not None if native else not bundle.custom_ops:
            engine = open_engine(bundle, native=native)
            try:
                metrics[native] = measure(bundle, engine)
            finally:
                engine.close()
    return {"samples": samples, **(metrics[False] or metrics[True]), "native": metrics[True]}


def runtimes(metrics: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Returns the metrics in each runtime.

    Args:
        metrics: What `compare` returned.
    """
    return [metrics] if metrics["native"] is None else [metrics, metrics["native"]]


def check_finite(metrics: Mapping[str, Any]) -> None:
    """Makes sure that results are numbers.

    Args:
        metrics: What `compare` returned.

    Raises:
        ExportError: If they are not.
    """
    if not all(np.isfinite(one["max_difference"]) for one in runtimes(metrics)):
        raise ExportError(
            "The exported model's results must be finite. Received: others. Check its weights."
        )


def check_close(metrics: Mapping[str, Any], remedy: str) -> None:
    """Makes sure that the results of a float32 bundle are those of its model.

    Args:
        metrics: What `compare` returned.
        remedy: What is wrong where they differ.

    Raises:
        ExportError: If they are not.
    """
    for one in runtimes(metrics):
        if one["max_difference"] > one["tolerance"]:
            raise ExportError(
                "The exported model's results must be the Keras model's. Received: a difference of "
                f"up to {one['max_difference']:.2g}. {remedy}."
            )
