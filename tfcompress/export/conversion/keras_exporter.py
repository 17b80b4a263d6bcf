"""Exports a Keras model of the user's own."""

import tempfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from tensorflow import keras

from tfcompress.custom_ops.names import DECODER, RECURRENT_DECODER, TOP_LOGITS, chosen
from tfcompress.errors import InputError
from tfcompress.export.conversion import keras_parity
from tfcompress.export.conversion.exporter import Exporter
from tfcompress.export.conversion.keras_signatures import KerasSignatures
from tfcompress.export.conversion.static_encoder import ENCODE, float_operations, quantize_encoder
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.known_faults import check_kernels
from tfcompress.export.graph.model_file import check_operations, lower
from tfcompress.export.graph.new_axes import expand_new_axes
from tfcompress.export.graph.packing import pack_constants
from tfcompress.export.graph.tables import look_up_tables
from tfcompress.export.quantization.quantization_scheme import QuantizationScheme, WeightNames
from tfcompress.export.quantization.quantizer import quantize, type_chooser
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.layers.common.nested import named_layers
from tfcompress.models.precision import float32_twin, half_layer
from tfcompress.runtime.manifest import MODEL

# What only the translation model's own signatures can emit.
_OF_TRANSLATORS = (DECODER, RECURRENT_DECODER, TOP_LOGITS)


class KerasExporter(Exporter):
    """Exports a Keras model of the user's own: functional, sequential or subclassed.

    Weights that were trained on a grid keep it bit for bit, also when tied: a table of
    `keras.layers.Embedding` that an output layer multiplies by is stored once.

    For chips that compute in integers only, the static quantizations leave in float32 what 8 bits
    cannot hold: sums with masks, running sums, angles. TensorFlow's own full-integer conversion
    does not: an additive mask of -3e4 (of Keras' layers, -1e9) leaves nothing of the scores it is
    added to.
    """

    model_type = "keras"

    def check(self):
        self._operations = _custom_ops(self.options.custom_ops)
        _check_model(self.model)

    def trace(self):
        self._twin = float32_twin(self.model)
        _check_precision(self._twin)
        functions = KerasSignatures(
            self._twin, self.options.signatures, self.model, self._operations
        )
        self._functions = functions
        self._representative = {}
        if self.options.representative_data is not None:
            data = self.options.representative_data
            self._representative = functions.batches("representative_data", data)
        if self.options.samples is None:
            self._batches = functions.default_batches() | self._representative
        else:
            self._batches = functions.batches("samples", self.options.samples)

    def write(self, folder):
        quantization, scheme = self.options.quantization, self.options.quantization_scheme
        weights = None if scheme is None else QuantizationScheme(scheme, WeightNames(self._twin))
        choose = type_chooser(quantization, weights)
        with tempfile.TemporaryDirectory() as temporary:
            lowered = lower(self._functions, Path(temporary))
        expand_new_axes(lowered)
        look_up_tables(lowered)
        static = {}
        for name, samples in self._representative.items():
            _swap(lowered, name)
            lowered = quantize_encoder(lowered, STATIC[quantization], samples, choose)
            _swap(lowered, name)
            static[name] = {
                "activation_bits": STATIC[quantization],
                "representative_batches": len(samples),
            }
        quantize(lowered, choose)
        check_kernels(lowered)
        check_operations(lowered, self._operations)
        for name, description in static.items():
            _swap(lowered, name)
            description["float_operations"] = float_operations(lowered)
            _swap(lowered, name)
        self._needed = sorted(flatbuffer.custom_operations(lowered))
        pack_constants(lowered)
        self._data = flatbuffer.write(lowered)
        (folder / MODEL).write_bytes(self._data)
        return {
            "quantization": quantization,
            **({} if scheme is None else {"quantization_scheme": dict(scheme)}),
            **({"static": static} if static else {}),
            "custom_ops": self._needed,
        }

    def describe(self):
        return {"signatures": _interface(self._data, self._functions.names)}

    def compare(self, folder):
        try:
            return keras_parity.compare(self._functions, folder, self._batches)
        except InputError as error:
            if not self._needed:
                raise
            reason = str(error).splitlines()[0].rstrip(".")
            raise InputError(
                "With custom operations, other layers must be those of tfcompress.layers, and of "
                f"an input's sizes one may be unknown, as in [1, None]. Received: {reason}."
            ) from error

    def check_parity(self, metrics):
        keras_parity.check(metrics, self.options.quantization)


def _custom_ops(custom_ops):
    names = chosen(custom_ops)
    if custom_ops is not True and (wrong := sorted(names.intersection(_OF_TRANSLATORS))):
        raise InputError(
            f"A Keras model has no such custom operations. Received: {', '.join(wrong)}, which are "
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
                f"`convert` needs a plain model. Received: {model.name}, of "
                f"{layer.wrapped_by}. Strip it first."
            )
    if not model.built:
        raise InputError(f"`convert` needs a built model. Received: {model.name}. Call it once.")


def _check_precision(model):
    if path := half_layer(model):
        raise InputError(
            f"A model's layers must compute in float32. Received: {path} in half precision. Make "
            "the model anew in float32 and give it these weights, then export that."
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
