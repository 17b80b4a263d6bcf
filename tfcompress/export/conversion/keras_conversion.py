"""Exports a Keras model of the user's own."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from tensorflow import keras

from tfcompress.custom_ops.names import DECODER, TOP_LOGITS, chosen
from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import new_folder, write_manifest
from tfcompress.export.conversion import keras_parity
from tfcompress.export.conversion.keras_signatures import KerasSignatures, Signature
from tfcompress.export.conversion.static_encoder import ENCODE, float_operations, quantize_encoder
from tfcompress.export.errors import ExportError
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.known_faults import check_kernels
from tfcompress.export.graph.model_file import (
    MODEL,
    check_custom_ops,
    check_finite,
    check_operations,
    lower,
    made_by,
)
from tfcompress.export.graph.new_axes import expand_new_axes
from tfcompress.export.graph.packing import pack_constants
from tfcompress.export.graph.size import check_convertible
from tfcompress.export.graph.tables import look_up_tables
from tfcompress.export.quantization.mixed_plan import MixedPlan, WeightNames
from tfcompress.export.quantization.quantizer import choice, quantize
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.layers.common.nested import named_layers
from tfcompress.models.precision import float32_twin
from tfcompress.runtime.keras_bundle import KIND
from tfcompress.runtime.manifest import FORMAT

_HALF = ("float16", "bfloat16")
# What only the translation model's own signatures can emit.
_OF_TRANSLATORS = (DECODER, TOP_LOGITS)


def convert_keras(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    signatures: Mapping[str, Signature] | None,
    quantization: str,
    plan: Mapping[str, str] | None,
    representative_data: Any,
    custom_ops: bool | Sequence[str],
    samples: Any,
    force: bool,
) -> dict[str, Any]:
    """Exports a Keras model of the user's own; see `convert`, which has checked the quantization.

    Weights that were trained on a grid keep it bit for bit, also when tied: a table of
    `keras.layers.Embedding` that an output layer multiplies by is stored once.

    For chips that compute in integers only, the static quantizations leave in float32 what 8 bits
    cannot hold: sums with masks, running sums, angles. TensorFlow's own full-integer conversion
    does not: an additive mask of -3e4 (of Keras' layers, -1e9) leaves nothing of the scores it is
    added to.

    Args:
        model: A functional, sequential or subclassed model, built.
        path: As for `convert`, like all that follows.
        signatures: The functions that the bundle has, by name.
        quantization: How weights are stored.
        plan: What weights are stored as.
        representative_data: Batches of typical inputs, by signature where there are several.
        custom_ops: Which custom operations.
        samples: Batches to compare bundle and model on, by signature where there are several.
        force: Whether to replace an existing bundle.

    Returns:
        The manifest.

    Raises:
        InputError: If an argument is wrong, the model is wrapped by tf-model-optimization still,
            or the bundle exists or cannot be written.
        ExportError: If the model has operations that LiteRT lacks, or the bundle does not compute
            what the model does.
    """
    custom_ops = _custom_ops(custom_ops)
    check_custom_ops(custom_ops, quantization)
    _check_model(model)
    twin = float32_twin(model)
    _check_precision(twin)
    functions = KerasSignatures(twin, signatures, model, custom_ops)
    typical = {}
    if representative_data is not None:
        typical = functions.batches("representative_data", representative_data)
    if samples is None:
        batches = functions.default_batches() | typical
    else:
        batches = functions.batches("samples", samples)
    choose = choice(quantization, None if plan is None else MixedPlan(plan, WeightNames(twin)))
    with new_folder(path, force=force) as folder:
        with tempfile.TemporaryDirectory() as temporary:
            lowered = lower(functions, Path(temporary))
        expand_new_axes(lowered)
        look_up_tables(lowered)
        static = {}
        for name, samples_of_one in typical.items():
            _swap(lowered, name)
            lowered = quantize_encoder(lowered, STATIC[quantization], samples_of_one, choose)
            _swap(lowered, name)
            static[name] = {
                "activation_bits": STATIC[quantization],
                "representative_batches": len(samples_of_one),
            }
        quantize(lowered, choose)
        check_kernels(lowered)
        check_operations(lowered, custom_ops)
        for name, found in static.items():
            _swap(lowered, name)
            found["float_operations"] = float_operations(lowered)
            _swap(lowered, name)
        needed = sorted(flatbuffer.custom_operations(lowered))
        pack_constants(lowered)
        data = flatbuffer.write(lowered)
        (folder / MODEL).write_bytes(data)
        manifest = {
            "format": FORMAT,
            "kind": KIND,
            "made_by": made_by(),
            "quantization": quantization,
            **({} if plan is None else {"plan": dict(plan)}),
            **({"static": static} if static else {}),
            "custom_ops": needed,
            "parameters": model.count_params(),
            "signatures": _interface(data, functions.names),
        }
        # The runtime that compares the bundle reads its manifest.
        write_manifest(folder, manifest)
        try:
            manifest["parity"] = keras_parity.compare(functions, folder, batches)
        except InputError as error:
            raise ExportError(
                f"LiteRT cannot run the exported model: {str(error).splitlines()[0]}"
            ) from error
        keras_parity.check(manifest["parity"], quantization)
        return write_manifest(folder, manifest)


def _custom_ops(given):
    names = chosen(given)
    if given is not True and (wrong := sorted(names.intersection(_OF_TRANSLATORS))):
        raise InputError(
            f"a Keras model has no such custom operations. Received: {', '.join(wrong)}, which are "
            "of a Seq2SeqTransformer's decoder. Leave them out."
        )
    return names.difference(_OF_TRANSLATORS)


def _swap(model, name):
    """Calls a signature by the name of the one whose operations are quantized, and back."""
    names = {name: ENCODE, ENCODE: name}
    for signature in model.signatureDefs:
        key = signature.signatureKey.decode()
        signature.signatureKey = names.get(key, key).encode()


def _check_model(model):
    for layer in named_layers(model, keras.layers.Layer).values():
        if hasattr(layer, "wrapped_by"):
            raise InputError(
                f"convert needs a plain model. Received: {model.name}, which {layer.wrapped_by} "
                "made. Strip it first."
            )
    if not model.built:
        raise InputError(f"convert needs a built model. Received: {model.name}. Call it once.")
    check_convertible(model.count_params())
    check_finite(model)


def _check_precision(model):
    for path, layer in named_layers(model, keras.layers.Layer).items():
        if getattr(layer, "compute_dtype", None) in _HALF:
            raise InputError(
                f"the layer {path} computes in half precision. Received: {layer.compute_dtype}. "
                "Make the model anew in float32 and give it these weights, then export that."
            )


def _interface(data, names):
    interpreter = Interpreter(model_content=data)

    def tensors(details):
        return {
            name: {
                "shape": [None if n < 0 else n for n in detail["shape_signature"].tolist()],
                "dtype": np.dtype(detail["dtype"]).name,
            }
            for name, detail in details.items()
        }

    runners = {name: interpreter.get_signature_runner(name) for name in names}
    return {
        name: {
            "inputs": tensors(runner.get_input_details()),
            "outputs": tensors(runner.get_output_details()),
        }
        for name, runner in runners.items()
    }
