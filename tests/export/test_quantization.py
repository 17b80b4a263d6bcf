import collections

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from export_harness import make_transformer
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from tfcompress.export import flatbuffer
from tfcompress.export.conversion import lower
from tfcompress.export.flatbuffer import schema
from tfcompress.export.quantization import QUANTIZATIONS, quantize, quantize_rows
from tfcompress.export.signatures import Signatures
from tfcompress.models import EmbeddingConfig

weights = stn.arrays(
    np.float32,
    stn.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-(2.0**100), 2.0**100, width=32),
)


@given(weights)
def test_rows_are_within_half_a_step(weights):
    values, scales = quantize_rows(weights)
    assert values.dtype == np.int8
    assert values.shape == weights.shape
    assert values.min() >= -127
    tiny = np.finfo(np.float32).tiny
    assert (scales >= tiny).all()
    assert scales.dtype == np.float32
    error = np.abs(values.astype(np.float64) * scales[:, np.newaxis] - weights)
    half = 0.503 * scales[:, np.newaxis].astype(np.float64)
    # Rows too small for a scale that kernels accept become 0.
    vanished = np.abs(weights).max(axis=1) < 128 * tiny
    assert (error[~vanished] <= half[~vanished]).all()


@given(weights)
def test_grid_points_stay(weights):
    values, scales = quantize_rows(weights)
    again, _ = quantize_rows(values * scales[:, np.newaxis])
    np.testing.assert_array_equal(again, values)


def test_rows_without_magnitude():
    values, scales = quantize_rows(np.array([[0, 0], [1e-42, -1e-42], [3, -6]], np.float32))
    assert values.tolist() == [[0, 0], [0, 0], [64, -127]]
    assert scales[:2].tolist() == [1, 1]
    assert scales[2] == pytest.approx(6 / 127, rel=1e-4)


def with_zero_rows(transformer):
    """Zeroes some rows of the table, and outputs of a dense layer, which are rows once exported."""
    for variable in transformer.model.trainable_variables:
        values = np.array(variable)
        if values.ndim == 2:
            values[3], values[:, 5] = 0, 0
            variable.assign(values)
    return transformer


@pytest.fixture(scope="module")
def lowered(tmp_path_factory):
    """A model with a tied, factorized table and rows of zeros, as bytes."""
    transformer = with_zero_rows(make_transformer(embedding=EmbeddingConfig(32, share=True)))
    folder = tmp_path_factory.mktemp("lowered")
    model = lower(Signatures(transformer), folder)
    assert list(folder.iterdir()) == []
    return flatbuffer.write(model)


def quantized(lowered, quantization):
    model = flatbuffer.read(lowered)
    quantize(model, quantization)
    return flatbuffer.read(flatbuffer.write(model))


def constants(model, elements=1024):
    """Returns `(subgraph, tensor)` of every large constant."""
    return [
        (number, tensor)
        for number, subgraph in enumerate(model.subgraphs)
        for tensor in subgraph.tensors
        if tensor.buffer and np.prod(tensor.shape) >= elements
    ]


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_shared_table_is_one_buffer_of_the_right_type(lowered, quantization):
    model = quantized(lowered, quantization)
    table = [(n, t) for n, t in constants(model) if list(t.shape) == [60, 32]]
    assert {n for n, _ in table} == {0, 1}
    assert len({t.buffer for _, t in table}) == 1
    types = {"float32": "FLOAT32", "float16": "FLOAT16", "dynamic_int8": "INT8"}
    expected = getattr(schema.TensorType, types[quantization])
    assert {t.type for _, t in constants(model)} == {expected}
    counts = flatbuffer.operation_counts(model)
    assert counts["step"]["EMBEDDING_LOOKUP"] == counts["encode"]["EMBEDDING_LOOKUP"] == 1
    assert ("DEQUANTIZE" in counts["step"]) == (quantization == "float16")


def test_small_weights_stay_in_float32(lowered):
    model = quantized(lowered, "dynamic_int8")
    small = {tuple(t.shape) for _, t in constants(model, 2) if t.type == schema.TensorType.FLOAT32}
    assert (32,) in small
    assert all(np.prod(shape) < 1024 for shape in small)


def test_scales_are_normal(lowered):
    for _, tensor in constants(quantized(lowered, "dynamic_int8")):
        scales = tensor.quantization.scale
        assert len(scales) == tensor.shape[0] == len(tensor.quantization.zeroPoint)
        assert (scales >= np.finfo(np.float32).tiny).all()
        assert not tensor.quantization.zeroPoint.any()
        assert tensor.quantization.quantizedDimension == 0


def partitions(model, signature):
    """Returns how many parts of a signature's graph XNNPACK takes."""
    model = flatbuffer.read(flatbuffer.write(model))
    (chosen,) = (s for s in model.signatureDefs if s.signatureKey == signature.encode())
    model.subgraphs = [model.subgraphs[chosen.subgraphIndex]]
    chosen.subgraphIndex, model.signatureDefs = 0, [chosen]
    interpreter = Interpreter(model_content=flatbuffer.write(model), num_threads=1)
    interpreter.allocate_tensors()
    operations = collections.Counter(o["op_name"] for o in interpreter._get_ops_details())
    return operations["DELEGATE"]


def test_xnnpack_takes_as_much_in_int8_as_in_float32(lowered):
    """Rows of zeros change nothing."""
    for signature, most in {"encode": 2, "step": 3}.items():
        counts = {q: partitions(quantized(lowered, q), signature) for q in QUANTIZATIONS}
        assert counts["dynamic_int8"] == counts["float32"] <= most
        assert counts["float16"] <= most + 1


def test_scales_of_zero_would_not_load(lowered):
    """This is what the test above is about."""
    model = quantized(lowered, "dynamic_int8")
    for _, tensor in constants(model):
        tensor.quantization.scale = np.where(tensor.quantization.scale == 1, 0, 0.01).astype("f")
    with pytest.raises(RuntimeError, match="unsupported scale value"):
        partitions(model, "step")


def test_constants_that_are_read_in_other_ways_stay(lowered):
    model = flatbuffer.read(lowered)
    subgraph = model.subgraphs[1]
    table = next(i for i, t in enumerate(subgraph.tensors) if np.array_equal(t.shape, [60, 32]))
    operator = schema.OperatorT()
    operator.opcodeIndex = flatbuffer.add_operator_code(model, schema.BuiltinOperator.NEG)
    operator.inputs = operator.outputs = np.array([table], np.int32)
    subgraph.operators.append(operator)
    quantize(model, "dynamic_int8")
    assert subgraph.tensors[table].type == schema.TensorType.FLOAT32
