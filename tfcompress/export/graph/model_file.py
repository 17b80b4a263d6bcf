"""Writes a model's `.tflite` file: converted, quantized, and checked before it is used."""

import errno
import importlib.metadata
import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from tensorflow import keras

import tfcompress
from tfcompress.errors import InputError
from tfcompress.export.conversion.static_encoder import float_operations, quantize_encoder
from tfcompress.export.errors import ExportError
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.known_faults import check_known_faults
from tfcompress.export.graph.packing import pack_constants
from tfcompress.export.graph.size import check_size, size_limit
from tfcompress.export.options import ExportOptions
from tfcompress.export.quantization.quantization_scheme import QuantizationScheme, WeightNames
from tfcompress.export.quantization.quantizer import quantize, type_chooser
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.models import Seq2SeqTransformer, TextEncoder
from tfcompress.runtime.manifest import MODEL

# The arguments of a call of the signature `encode`.
Inputs = Mapping[str, np.ndarray]


class Exported(Protocol):
    """The functions of a model that are exported."""

    @property
    def names(self) -> Sequence[str]:
        """Those of the signatures."""
        ...

    def save(self, path: str) -> None:
        """Writes a SavedModel with these signatures."""


def write_model(
    folder: Path,
    signatures: Exported,
    transformer: Seq2SeqTransformer | TextEncoder,
    options: ExportOptions,
    samples: Sequence[Inputs] = (),
) -> dict[str, Any]:
    """Writes `model.tflite`.

    Args:
        folder: The bundle's folder.
        signatures: What to export.
        transformer: What it belongs to, in float32.
        options: How it is exported.
        samples: With a static quantization, arguments of `encode` that are representative.

    Returns:
        What the manifest says of it: how it is quantized and what custom operations it needs.

    Raises:
        ExportError: If it has what LiteRT cannot compute or computes wrongly, or is larger than its
            weights.
    """
    quantization, scheme = options.quantization, options.quantization_scheme
    # The scheme is checked before the long conversion.
    choose = type_chooser(
        quantization,
        None if scheme is None else QuantizationScheme(scheme, WeightNames(transformer)),
    )
    model = lower(signatures, folder)
    if quantization in STATIC:
        model = quantize_encoder(model, STATIC[quantization], samples, choose)
    quantize(model, choose)
    check_known_faults(model)
    check_operations(model, options.operations)
    limit = size_limit(model, transformer, quantization)
    pack_constants(model)
    data = flatbuffer.write(model)
    check_size(len(data), limit)
    (folder / MODEL).write_bytes(data)
    description: dict[str, Any] = {"quantization": quantization}
    if scheme is not None:
        description["quantization_scheme"] = dict(scheme)
    if quantization in STATIC:
        description["encoder"] = {
            "activation_bits": STATIC[quantization],
            "representative_sentences": len(samples),
            "float_operations": float_operations(model),
        }
    return description | {"custom_ops": sorted(flatbuffer.custom_operations(model))}


def lower(signatures: Exported, folder: Path) -> schema.ModelT:
    """Returns the float32 LiteRT model of a transformer.

    Args:
        signatures: The transformer's.
        folder: Where to put a temporary SavedModel.
    """
    with tempfile.TemporaryDirectory(dir=folder) as saved:
        try:
            signatures.save(saved)
            converter = tf.lite.TFLiteConverter.from_saved_model(
                saved, signature_keys=list(signatures.names)
            )
            # What LiteRT lacks becomes a custom operation, to be listed by `check_operations`.
            converter.allow_custom_ops = True
            data = converter.convert()
        except tf.errors.OpError as error:
            if "No space left on device" in error.message:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise
    model = flatbuffer.read(data)
    flatbuffer.use_builtin_cache_updates(model)
    return model


def check_operations(model: schema.ModelT, custom_ops: Collection[str] = ()) -> None:
    """Makes sure that a model runs on a LiteRT runtime without other custom operations.

    Args:
        model: The model.
        custom_ops: Those that it may need.

    Raises:
        ExportError: If it does not, naming each operation that is missing.
    """
    missing = flatbuffer.custom_operations(model).difference(custom_ops)
    if missing:
        raise ExportError(
            f"LiteRT lacks operations. Received: {', '.join(sorted(missing))}. Replace the layers "
            "that use them."
        )


def check_finite(transformer: Seq2SeqTransformer | TextEncoder | keras.Model) -> None:
    """Makes sure that all weights are numbers.

    Args:
        transformer: The model.

    Raises:
        InputError: If not, naming the first that is not.
    """
    model: Any = getattr(transformer, "model", transformer)
    for weight in model.weights:
        if not np.isfinite(np.asarray(weight, np.float32)).all():
            raise InputError(
                "Weights must be finite. Received: NaN or infinity in "
                f"{getattr(weight, 'path', weight.name)}, as training diverged. Export an earlier "
                "checkpoint."
            )


def producer() -> dict[str, str]:
    """Returns the versions of what makes a bundle."""
    return {
        "tfcompress": tfcompress.__version__,
        "tensorflow": tf.__version__,
        "litert": importlib.metadata.version("ai-edge-litert"),
    }
