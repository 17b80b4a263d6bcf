"""Exports any Keras model as a `.tflite` file."""

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.export.conversion.saving import save_functions
from tfcompress.export.conversion.static_encoder import ENCODE, float_operations, quantize_encoder
from tfcompress.export.errors import ExportError
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.known_faults import check_kernels
from tfcompress.export.graph.model_file import (
    check_finite,
    check_operations,
    lower,
)
from tfcompress.export.graph.new_axes import expand_new_axes
from tfcompress.export.graph.size import check_convertible
from tfcompress.export.graph.tables import look_up_tables
from tfcompress.export.quantization.mixed_plan import MixedPlan, WeightNames
from tfcompress.export.quantization.quantizer import choice, quantize
from tfcompress.export.quantization.schemes import STATIC, check_quantization, check_representative
from tfcompress.files import replace_file
from tfcompress.layers.common.nested import named_layers
from tfcompress.models.precision import float32_twin

SIGNATURE = "serving_default"
_HALF = ("float16", "bfloat16")
# Of the largest output, between the model and its float32 file.
_TOLERANCE = 1e-3


def convert_keras(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    quantization: str = "dynamic_int8",
    plan: Mapping[str, str] | None = None,
    inputs: Any = None,
    representative_data: Iterable[Any] | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Exports a Keras model of your own as a `.tflite` file, with the grids that it was trained on.

    The plain `tf.lite.TFLiteConverter` quantizes weights anew, with scales of its own, and leaves
    tables and small products as it likes. This stores matrices and tables as bundles do: weights
    that were trained on a grid (`tfcompress.optimization.quantize_aware`, then
    `strip_quantization`) keep it bit for bit, others are rounded to the grid of the quantization.
    Inputs and outputs are float32, and so are activations between operations, unless the
    quantization is static; kernels with integer weights quantize them as they come. The file needs
    builtin operations only. It has one signature, "serving_default", with the names of the model's
    inputs and outputs.

    For chips that compute in integers only, the static quantizations leave in float32 what 8 bits
    cannot hold: sums with masks, running sums, angles. TensorFlow's own full-integer conversion
    does not: an additive mask of -3e4 (of Keras' layers, -1e9) leaves nothing of the scores it is
    added to.

    Of any subclassed Keras 3 model, whatever its layers, `TFLiteConverter.from_concrete_functions`
    with the model as its second argument makes a file without the weights, which answers with NaN
    or noise; where you need TensorFlow's converter, `from_keras_model` and, after `model.export`,
    `from_saved_model` make right ones.

    The model is exported as it computes in inference (`training=False`), in float32, whatever
    precision it was trained in.

    Args:
        model: A functional, sequential or subclassed model, with layers of this library, Keras'
            own and others. Of this library's own models, `convert` makes more: bundles.
        path: The file to write. It appears complete or not at all.
        quantization: How weights of at least 1024 elements are stored, as for `convert`. The static
            ones give the whole model integer activations.
        plan: What weights are stored as, as for `convert`.
        inputs: A batch of inputs, as `model.predict` takes it, on which the file is compared with
            the model; or a `tf.TensorSpec` of each, with None where sizes may differ. A subclassed
            model needs either; others have what they were built with.
        representative_data: With a static quantization, some batches of typical inputs, each as
            `inputs`.
        force: Whether to replace an existing file.

    Returns:
        What was written: `bytes`, `quantization`, `inputs` and `outputs` (shapes and types by
        name); with a static quantization, `float_operations`: what computes in float32; and, where
        `inputs` are a batch, `difference`: the largest difference from the model's outputs,
        relative to the largest of these.

    Raises:
        InputError: If an argument is wrong, the model is wrapped by tf-model-optimization still,
            or the file exists or cannot be written.
        ExportError: If the model has operations that LiteRT lacks, or the float32 file does not
            compute what the model does.

    Example:

    >>> trained = tfc.optimization.strip_quantization(model)
    >>> figures = tfc.export.convert_keras(trained, "model.tflite", quantization="int4")
    >>> runner = Interpreter("model.tflite").get_signature_runner()
    """
    check_quantization(quantization, plan)
    check_representative(quantization, representative_data)
    path = Path(path)
    if path.is_dir() or (path.exists() and not force):
        raise InputError(f"{path}: exists already; give another path, or force=True to replace it")
    _check_model(model)
    signature = _Signature(model, inputs)
    model = float32_twin(model)
    _check_precision(model)
    with tempfile.TemporaryDirectory() as folder:
        converted = lower(signature.of(model), Path(folder))
    expand_new_axes(converted)
    look_up_tables(converted)
    choose = choice(quantization, None if plan is None else MixedPlan(plan, WeightNames(model)))
    if quantization in STATIC:
        samples = [signature.named(batch) for batch in representative_data]
        converted = _static(converted, STATIC[quantization], samples, choose)
    quantize(converted, choose)
    check_kernels(converted)
    check_operations(converted)
    data = flatbuffer.write(converted)
    figures = {"bytes": len(data), "quantization": quantization, **_interface(data)}
    if quantization in STATIC:
        figures["float_operations"] = float_operations(_renamed(converted, ENCODE))
    if signature.batch is not None:
        figures["difference"] = difference = _difference(data, model, signature)
        if quantization == "float32" and not difference <= _TOLERANCE:
            raise ExportError(
                f"the file does not compute what the model does: outputs differ by {difference:.2g}"
                " of the largest; replace unusual layers"
            )
    replace_file(path, data)
    return figures


class _Signature:
    """The model's call as a function of flat, named inputs.

    Attributes:
        names: Those of signatures.
        batch: The flat inputs that the user gave, by name, or None.
    """

    names = (SIGNATURE,)

    def __init__(self, model, inputs):
        own = _own_inputs(model)
        if inputs is None and own is None:
            raise InputError(
                f"a subclassed model needs `inputs`. Received: none for {model.name}. Give a batch "
                "as `model.predict` takes it, or a tf.TensorSpec of each input."
            )
        flat = tf.nest.flatten(own if inputs is None else inputs)
        are_specs = [isinstance(value, tf.TensorSpec) for value in flat]
        if any(are_specs) and not all(are_specs):
            raise InputError(
                "`inputs` must be arrays or tf.TensorSpec, not both. Received: "
                f"{[type(value).__name__ for value in flat]}. Give one of each input."
            )
        self._structure = inputs if own is None else own
        if own is not None and len(flat) != len(tf.nest.flatten(own)):
            raise InputError(
                f"`inputs` must have one of each input. Received: {len(flat)} for {model.name}, "
                f"which has {len(tf.nest.flatten(own))}."
            )
        names = _names(model, inputs, len(flat))
        specs = flat
        if not any(are_specs):
            flat = list(map(np.asarray, flat))
            specs = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in flat]
            specs = specs if own is None else tf.nest.flatten(own)
        self._specs = [
            tf.TensorSpec(spec.shape, spec.dtype, name) for spec, name in zip(specs, names)
        ]
        self.batch = None if any(are_specs) else self.named(flat)

    def named(self, batch):
        """Returns the inputs of a batch by name, in their types."""
        flat = tf.nest.flatten(batch)
        if len(flat) != len(self._specs):
            raise InputError(
                f"`representative_data` must have batches of {len(self._specs)} inputs. Received: "
                f"one of {len(flat)}. Give each as the model takes it."
            )
        return {
            spec.name: np.asarray(value).astype(spec.dtype.as_numpy_dtype)
            for spec, value in zip(self._specs, flat)
        }

    def of(self, model):
        """Returns the signature of a model with these inputs."""
        self._model = model
        return self

    def save(self, path):
        """Writes a SavedModel with the signature."""
        save_functions(path, self._model, {SIGNATURE: (self._call, self._specs)}, ())

    def outputs(self):
        """Returns the model's outputs on the batch, by name."""
        return {name: np.asarray(value) for name, value in self._call(*self.batch.values()).items()}

    def _call(self, *flat):
        inputs = tf.nest.pack_sequence_as(self._structure, list(map(tf.convert_to_tensor, flat)))
        outputs = self._model(inputs, training=False)
        return dict(zip(_output_names(self._model, outputs), tf.nest.flatten(outputs)))


def _static(model, bits, samples, choose):
    if not samples:
        raise InputError("`representative_data` is empty; give some batches of typical inputs")
    return _renamed(quantize_encoder(_renamed(model, ENCODE), bits, samples, choose), SIGNATURE)


def _renamed(model, name):
    (signature,) = model.signatureDefs
    signature.signatureKey = name.encode()
    return model


def _check_model(model):
    if not isinstance(model, keras.Model):
        hint = (
            "; pass its `model`" if isinstance(getattr(model, "model", None), keras.Model) else ""
        )
        raise InputError(
            f"convert_keras needs a Keras model. Received: {type(model).__name__}{hint}"
        )
    for layer in named_layers(model, keras.layers.Layer).values():
        if hasattr(layer, "wrapped_by"):
            raise InputError(
                f"convert_keras needs a plain model. Received: {model.name}, which "
                f"{layer.wrapped_by} made. Strip it first."
            )
    if not model.built:
        raise InputError(
            f"convert_keras needs a built model. Received: {model.name}. Call it once."
        )
    check_convertible(model.count_params())
    check_finite(model)


def _check_precision(model):
    for path, layer in named_layers(model, keras.layers.Layer).items():
        if getattr(layer, "compute_dtype", None) in _HALF:
            raise InputError(
                f"the layer {path} computes in half precision. Received: {layer.compute_dtype}. "
                "Make the model anew in float32 and give it these weights, then export that."
            )


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


def _names(model, inputs, count):
    keras_inputs = getattr(model, "inputs", None) or []
    if len(keras_inputs) == count:
        names = [x.name for x in keras_inputs]
    elif isinstance(inputs, Mapping):
        names = sorted(inputs)
    else:
        names = [f"input_{index}" for index in range(count)]
    # Of a SavedModel's functions, arguments are Python names.
    return [re.sub(r"\W", "_", name.split(":")[0]) for name in names]


def _output_names(model, outputs):
    count = len(tf.nest.flatten(outputs))
    if isinstance(outputs, Mapping) and len(outputs) == count:
        return sorted(outputs)
    names = list(getattr(model, "output_names", None) or ())
    if len(set(names)) == count:
        return names
    return [f"output_{index}" for index in range(count)]


def _interface(data):
    runner = Interpreter(model_content=data).get_signature_runner(SIGNATURE)
    return {
        kind: {
            name: {"shape": detail["shape_signature"].tolist(), "dtype": detail["dtype"].__name__}
            for name, detail in details.items()
        }
        for kind, details in (
            ("inputs", runner.get_input_details()),
            ("outputs", runner.get_output_details()),
        )
    }


def _difference(data, model, signature):
    runner = Interpreter(model_content=data).get_signature_runner(SIGNATURE)
    try:
        received = runner(**signature.batch)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ExportError(f"LiteRT cannot run the exported model: {reason}") from error
    expected = signature.outputs()
    largest = max(float(np.abs(value).max(initial=0)) for value in expected.values())
    return max(
        float(np.abs(received[name] - value).max(initial=0)) for name, value in expected.items()
    ) / (largest or 1.0)
