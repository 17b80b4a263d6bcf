"""Integers for activations too: an encoder for chips that compute in integers only."""

import collections
import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.normalizations import multiply_differences, normalizations
from tfcompress.export.quantization.quantizer import TypeChooser, channel_axis, int8_grid
from tfcompress.grids import MIN_ELEMENTS

# The signature whose operations are quantized.
ENCODE = "encode"
_PRODUCTS = ("FULLY_CONNECTED", "BATCH_MATMUL")
_WEIGHT_OPERAND = 1
# An angle is as large as its sentence is long, and needs its fraction.
_OF_ANGLES = ("SIN", "COS")
# A running sum is as large as its sentence is long too, until it is divided.
_SUMS, _DIVISION = ("CUMSUM",), "DIV"
_AFTER_SUMS = (*_PRODUCTS, "CONCATENATION")
# What is added to a mask is lost when both are rounded to the mask's range.
_LARGEST = 1e4
_LEFT_ALONE = "no_quantize"
_FLOATS = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)


def quantize_encoder(
    model: schema.ModelT,
    bits: int,
    samples: Sequence[Mapping[str, np.ndarray]],
    choose: TypeChooser,
) -> schema.ModelT:
    """Gives the operations of `encode` integer operands and results, with litert-quantizer.

    The ranges of activations are those that occur while the samples are encoded. Normalizations
    have 16 bits inside: in 8, they alone would cost a BLEU. What has no integer kernel stays in
    float32, and so do the angles of sinusoidal positions, running sums up to their division, what
    is added to masks, grouped products, and products with weights that are not to have 8 bits.
    Weights lie on the grids that `quantize` puts them on, so that what the decoder shares with the
    encoder is stored once. The results of `encode` are float32, as `step` takes them.

    Args:
        model: A float32 model; it is used up.
        bits: Of activations outside normalizations, 8 or 16.
        samples: Arguments of `encode` that are representative.
        choose: What weights are stored as.

    Returns:
        The model; its other signatures are as they were.
    """
    encoder = _encoder(model)
    multiply_differences(model, encoder)
    weights = _round_weights(model, encoder, choose)
    left_alone = weights.others | _angles(model, encoder) | _running_sums(model, encoder)
    precise = normalizations(model, encoder)
    for name, subgraph in _signatures(model):
        for index, tensor in enumerate(subgraph.tensors):
            tensor.name = f"{name}/{index}"
    data = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    # The library's own progress is not shown.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        ranges = _ranges(data, bits, samples)
        left_alone |= _beside_masks(encoder, ranges)
        recipe = _recipe(bits, precise, one_scale=weights.whole, left_alone=left_alone)
        model = flatbuffer.read(_quantized(data, recipe, ranges))
    _give_floats(model)
    _open_sizes(model)
    return model


def float_operations(model: schema.ModelT) -> dict[str, int]:
    """Counts the operations of `encode` that compute in floating point, by name.

    Args:
        model: What `quantize_encoder` returned.
    """
    encoder = _encoder(model)
    counts = collections.Counter()
    for operator in encoder.operators:
        operands = [index for index in [*operator.inputs, *operator.outputs] if index >= 0]
        name = flatbuffer.operator_name(model, operator)
        if name not in ("QUANTIZE", "DEQUANTIZE", "SHAPE") and any(
            encoder.tensors[index].type in _FLOATS for index in operands
        ):
            counts[name] += 1
    return dict(sorted(counts.items()))


def _give_floats(model):
    """Dequantizes results that the library leaves as integers, as other operations read them."""
    signature = next(s for s in model.signatureDefs if s.signatureKey.decode() == ENCODE)
    encoder = model.subgraphs[signature.subgraphIndex]
    for result in signature.outputs:
        index = result.tensorIndex
        q = encoder.tensors[index].quantization
        if q is None or q.scale is None:
            continue
        operator = schema.OperatorT()
        operator.opcodeIndex = flatbuffer.add_operator_code(
            model, schema.BuiltinOperator.DEQUANTIZE, version=2
        )
        restored = flatbuffer.add_tensor_like(encoder, index, schema.TensorType.FLOAT32)
        operator.inputs = np.array([index], np.int32)
        operator.outputs = np.array([restored], np.int32)
        encoder.operators.append(operator)
        encoder.outputs = np.where(np.equal(encoder.outputs, index), restored, encoder.outputs)
        encoder.outputs = encoder.outputs.astype(np.int32)
        result.tensorIndex = restored
    indices = [result.tensorIndex for result in signature.outputs]
    if {*indices} != {*map(int, encoder.outputs)}:
        # The library reads a result that operations in floats read as well in a copy of its own.
        encoder.outputs = np.array(indices, np.int32)


def _open_sizes(model):
    """Lets what the library converts have unknown sizes, as its inputs have."""
    encoder = _encoder(model)
    for operator in encoder.operators:
        if flatbuffer.operator_name(model, operator) in ("QUANTIZE", "DEQUANTIZE"):
            result, source = (encoder.tensors[i[0]] for i in (operator.outputs, operator.inputs))
            result.shapeSignature = source.shapeSignature


def _signatures(model):
    for signature in model.signatureDefs:
        yield signature.signatureKey.decode(), model.subgraphs[signature.subgraphIndex]


def _encoder(model):
    return dict(_signatures(model))[ENCODE]


def _recipe(bits, precise=frozenset(), *, one_scale=frozenset(), left_alone=frozenset()):
    from litert_quantizer import qtyping, recipe_manager

    operations = qtyping.TFLOperationName
    rules = recipe_manager.RecipeManager()
    rules.add_static_config(f"^{ENCODE}/", operations.ALL_SUPPORTED, bits, 8)
    for name in (operations.INPUT, operations.OUTPUT):
        rules.add_quantization_config(".*", name, algorithm_key=_LEFT_ALONE)
    if precise:
        rules.add_static_config(_any(precise), operations.ALL_SUPPORTED, 16, 8)
    if one_scale:
        granularity = qtyping.QuantGranularity.TENSORWISE
        rules.add_static_config(_any(one_scale), operations.FULLY_CONNECTED, bits, 8, granularity)
    if left_alone:
        rules.add_quantization_config(
            _any(left_alone), operations.ALL_SUPPORTED, algorithm_key=_LEFT_ALONE
        )
    return rules


def _any(indices):
    """An expression for the operations with these outputs."""
    return f"^{ENCODE}/({'|'.join(map(str, sorted(indices)))});"


def _ranges(data, bits, samples):
    from litert_quantizer import calibrator
    from litert_quantizer.utils import qsv_utils

    calibration = calibrator.Calibrator(
        data, num_threads=1, qsv_update_func=qsv_utils.min_max_update
    )
    calibration.calibrate({ENCODE: list(samples)}, _recipe(bits))
    return calibration.get_model_qsvs()


def _quantized(data, recipe, ranges):
    from litert_quantizer import quantizer

    work = quantizer.Quantizer(data, recipe.get_quantization_recipe())
    result = work.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    assert result.quantized_model is not None
    return bytes(result.quantized_model)


@dataclass(frozen=True)
class _Weights:
    """The outputs of products, by what becomes of their weights.

    Attributes:
        whole: Those whose weights have one scale.
        others: Those that are computed in floating point.
    """

    whole: frozenset[int]
    others: frozenset[int]


def _round_weights(model, encoder, choose):
    """Rounds to the grids of `quantize`, which the library then finds, as they hold its ranges."""
    whole, others = set(), set()
    for operator in encoder.operators:
        if flatbuffer.operator_name(model, operator) not in _PRODUCTS:
            continue
        operands = [encoder.tensors[index] for index in operator.inputs[: _WEIGHT_OPERAND + 1]]
        left, data = (model.buffers[tensor.buffer].data for tensor in operands)
        if data is None:
            # The library would give a constant on the left integers, and not what it meets.
            if left is not None:
                others.add(int(operator.outputs[0]))
            continue
        tensor = operands[_WEIGHT_OPERAND]
        values = data.view(np.float32).reshape(tensor.shape)
        is_kept = values.size >= MIN_ELEMENTS and choose(values) != "int8"
        # The kernel of a grouped product of integers takes one scale for all.
        if is_kept or flatbuffer.operator_name(model, operator) == "BATCH_MATMUL":
            others.add(int(operator.outputs[0]))
            continue
        grid = int8_grid(values, channel_axis(model, operator))
        if not grid.channels:
            whole.add(int(operator.outputs[0]))
        tensor.buffer = flatbuffer.add_buffer(model, grid.round(values))
    return _Weights(frozenset(whole), frozenset(others))


def _angles(model, encoder):
    """Outputs of sines and cosines and of all floating-point operations that lead to them."""
    inside, wanted = set(), set()
    for operator in reversed(encoder.operators):
        outputs = set(map(int, operator.outputs))
        if flatbuffer.operator_name(model, operator) in _OF_ANGLES or outputs & wanted:
            inside |= outputs
            operands = (int(index) for index in operator.inputs if index >= 0)
            wanted |= {i for i in operands if encoder.tensors[i].type in _FLOATS}
    return frozenset(inside)


def _running_sums(model, encoder):
    """Outputs of running sums and of what follows them, divisions included."""
    sums, growing = set(), set()
    for operator in encoder.operators:
        name = flatbuffer.operator_name(model, operator)
        follows = growing.intersection(map(int, operator.inputs)) and name not in _AFTER_SUMS
        if name in _SUMS or follows:
            sums |= set(map(int, operator.outputs))
            if name != _DIVISION:
                growing |= set(map(int, operator.outputs))
    return frozenset(sums)


def _beside_masks(encoder, ranges):
    """Outputs of operations that read or write values as large as masks."""
    wide = {
        int(name.removeprefix(f"{ENCODE}/"))
        for name, seen in ranges.items()
        if name.startswith(f"{ENCODE}/")
        and "min" in seen
        and max(float(np.max(seen["max"])), -float(np.min(seen["min"]))) > _LARGEST
    }
    return frozenset(
        int(output)
        for operator in encoder.operators
        for output in operator.outputs
        if wide.intersection(map(int, [*operator.inputs, *operator.outputs]))
    )
