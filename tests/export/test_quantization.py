import collections
import tempfile
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from export_harness import WEIGHT_ONLY, make_transformer
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from tfcompress.export import ExportOptions
from tfcompress.export.conversion.signatures import Signatures
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema
from tfcompress.export.graph.model_file import lower
from tfcompress.export.quantization.quantizer import pack, quantize, type_chooser, unpack
from tfcompress.models import EmbeddingConfig


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
    model = lower(Signatures(transformer, ExportOptions()), folder)
    assert list(folder.iterdir()) == []
    return flatbuffer.write(model)


def quantized(lowered, quantization):
    model = flatbuffer.read(lowered)
    quantize(model, type_chooser(quantization))
    return flatbuffer.read(flatbuffer.write(model))


def constants(model, elements=1024):
    """Returns `(subgraph, tensor)` of every large constant."""
    return [
        (number, tensor)
        for number, subgraph in enumerate(model.subgraphs)
        for tensor in subgraph.tensors
        if tensor.buffer and np.prod(tensor.shape) >= elements
    ]


@one_flavour
@pytest.mark.parametrize("quantization", WEIGHT_ONLY)
def test_shared_table_is_one_buffer_of_the_right_type(lowered, quantization):
    model = quantized(lowered, quantization)
    table = [(n, t) for n, t in constants(model) if list(t.shape) == [60, 32]]
    assert {n for n, _ in table} == {0, 1}
    assert len({t.buffer for _, t in table}) == 1
    types = {"float32": "FLOAT32", "float16": "FLOAT16", "dynamic_int8": "INT8"}
    expected = getattr(schema.TensorType, types.get(quantization, "INT4"))
    assert {t.type for _, t in constants(model)} == {expected}
    counts = flatbuffer.operation_counts(model)
    assert counts["step"]["EMBEDDING_LOOKUP"] == counts["encode"]["EMBEDDING_LOOKUP"] == 1
    assert ("DEQUANTIZE" in counts["step"]) == (quantization == "float16")


@one_flavour
def test_small_weights_stay_in_float32(lowered):
    model = quantized(lowered, "dynamic_int8")
    small = {tuple(t.shape) for _, t in constants(model, 2) if t.type == schema.TensorType.FLOAT32}
    assert (32,) in small
    assert all(np.prod(shape) < 1024 for shape in small)


@one_flavour
def test_scales_are_normal(lowered):
    for _, tensor in constants(quantized(lowered, "dynamic_int8")):
        scales = tensor.quantization.scale
        assert len(scales) == tensor.shape[0] == len(tensor.quantization.zeroPoint)
        assert (scales >= np.finfo(np.float32).tiny).all()
        assert not tensor.quantization.zeroPoint.any()
        assert tensor.quantization.quantizedDimension == 0


@one_flavour
def test_blocks_of_4_bits(lowered):
    model = quantized(lowered, "int4")
    for number, tensor in constants(model):
        details = tensor.quantization.details
        scales = model.subgraphs[number].tensors[details.scales]
        assert list(scales.shape) == [tensor.shape[0], tensor.shape[1] // 32]
        values = model.buffers[scales.buffer].data.view(np.float16)
        assert (values >= 2.0**-14).all()
        assert len(model.buffers[tensor.buffer].data) == np.prod(tensor.shape) // 2


@given(stn.arrays(np.int8, st.integers(1, 40).map(lambda n: 2 * n), elements=st.integers(-8, 7)))
def test_packing(integers):
    assert len(pack(integers, 4)) == len(integers) // 2
    np.testing.assert_array_equal(unpack(pack(integers, 4), 4), integers)
    np.testing.assert_array_equal(unpack(pack(integers, 8), 8), integers)


@pytest.mark.slow
def test_what_does_not_divide_has_8_bits():
    transformer = make_transformer(hidden_dim=40, embedding=EmbeddingConfig(share=True))
    with tempfile.TemporaryDirectory() as folder:
        lowered = flatbuffer.write(lower(Signatures(transformer, ExportOptions()), Path(folder)))
    types = {
        quantization: {tensor.type for _, tensor in constants(quantized(lowered, quantization))}
        for quantization in ("int4", "int4_per_channel")
    }
    assert types["int4"] == {schema.TensorType.INT8}
    assert types["int4_per_channel"] == {schema.TensorType.INT4}


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


@one_flavour
def test_xnnpack_takes_as_much_in_int8_as_in_float32(lowered):
    """Rows of zeros change nothing."""
    for signature, most in {"encode": 2, "step": 3}.items():
        counts = {q: partitions(quantized(lowered, q), signature) for q in WEIGHT_ONLY}
        assert counts["dynamic_int8"] == counts["float32"] <= most
        assert counts["int4"] == counts["int4_per_channel"] == counts["float32"]
        assert counts["float16"] <= most + 1


@one_flavour
def test_scales_of_zero_would_not_load(lowered):
    """This is what the test above is about."""
    model = quantized(lowered, "dynamic_int8")
    for _, tensor in constants(model):
        tensor.quantization.scale = np.where(tensor.quantization.scale == 1, 0, 0.01).astype("f")
    with pytest.raises(RuntimeError, match="unsupported scale value"):
        partitions(model, "step")


@one_flavour
def test_constants_that_are_read_in_other_ways_stay(lowered):
    model = flatbuffer.read(lowered)
    subgraph = model.subgraphs[1]
    table = next(i for i, t in enumerate(subgraph.tensors) if np.array_equal(t.shape, [60, 32]))
    operator = schema.OperatorT()
    operator.opcodeIndex = flatbuffer.add_operator_code(model, schema.BuiltinOperator.NEG)
    operator.inputs = operator.outputs = np.array([table], np.int32)
    subgraph.operators.append(operator)
    quantize(model, type_chooser("dynamic_int8"))
    assert subgraph.tensors[table].type == schema.TensorType.FLOAT32
