import collections
import functools

import numpy as np
import pytest
from export_harness import assert_export_parity, make_transformer
from flavours import one_flavour
from optimization.families import FAMILIES, VOCABULARY, make_family, slow_but

from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema
from tfcompress.models import EmbeddingConfig

pytestmark = one_flavour

INTEGERS = (schema.TensorType.INT8, schema.TensorType.INT16)
ANGLES = {"CAST": 1, "COS": 1, "MUL": 1, "RESHAPE": 1, "SIN": 1, "STRIDED_SLICE": 1}
# In every run; the others take their time.
_ALWAYS = {("fixed_patterns", "static_int8")}


def sentences(vocabulary, count=40, longest=12):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, longest + 1, count)
    return [[*rng.integers(4, vocabulary, length - 1).tolist(), 2] for length in lengths]


@functools.cache
def random_family(name):
    transformer = make_family(name)
    rng = np.random.default_rng(0)
    for variable in transformer.model.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.05, variable.shape))
    return transformer


def operations(path):
    """Counts `(name, type of the result)` of the encoder, and of the decoder by name."""
    model = flatbuffer.read((path / "model.tflite").read_bytes())
    graphs = {
        s.signatureKey.decode(): model.subgraphs[s.subgraphIndex] for s in model.signatureDefs
    }
    encoder = collections.Counter(
        (flatbuffer.operator_name(model, operator), graphs["encode"].tensors[result].type)
        for operator in graphs["encode"].operators
        for result in operator.outputs
    )
    decoder = [flatbuffer.operator_name(model, operator) for operator in graphs["step"].operators]
    return encoder, decoder


@pytest.mark.costly
@pytest.mark.parametrize(
    ("quantization", "products"),
    [
        ("static_int8", schema.TensorType.INT8),
        ("static_int8x16", schema.TensorType.INT16),
    ],
)
def test_the_encoder_computes_in_integers(tmp_path, quantization, products):
    transformer = make_transformer(hidden_dim=32)
    manifest = convert(
        transformer,
        tmp_path / "bundle",
        quantization=quantization,
        representative_data=sentences(60),
    )
    bits = {"static_int8": 8, "static_int8x16": 16}[quantization]
    assert manifest["encoder"] == {
        "activation_bits": bits,
        "representative_sentences": 40,
        "float_operations": {**ANGLES, "EMBEDDING_LOOKUP": 1},
    }
    encoder, decoder = operations(tmp_path / "bundle")
    for name in ("FULLY_CONNECTED", "BATCH_MATMUL", "SOFTMAX", "CONCATENATION"):
        assert {dtype for operation, dtype in encoder if operation == name} == {products}
    for name in ("MEAN", "RSQRT", "SUB"):
        actual = {dtype for operation, dtype in encoder if operation == name}
        assert actual == {schema.TensorType.INT16}
    assert not {"QUANTIZE", "DEQUANTIZE"} & set(decoder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "quantization"),
    slow_but(_ALWAYS, FAMILIES, ("static_int8", "static_int8x16")),
)
def test_families(family, quantization):
    """Every family computes what its model does, and stores each weight once."""
    assert_export_parity(
        random_family(family),
        quantization=quantization,
        representative_data=sentences(VOCABULARY),
    )


@pytest.mark.slow
def test_16_bits_are_closer_than_8():
    options = {"representative_data": sentences(VOCABULARY)}
    differences = [
        assert_export_parity(random_family("plain"), quantization=quantization, **options)[
            "parity"
        ]["max_difference"]
        for quantization in ("static_int8x16", "static_int8")
    ]
    assert differences[0] < differences[1]


@pytest.mark.slow
def test_shared_weights_are_those_of_dynamic_int8(tmp_path):
    """The integers of both are the same, so that encoder and decoder can share them."""
    transformer = make_transformer(embedding=EmbeddingConfig(32, share=True, tie="shared"))
    stored = []
    for quantization, data in (("dynamic_int8", None), ("static_int8", sentences(60))):
        path = tmp_path / quantization
        convert(transformer, path, quantization=quantization, representative_data=data)
        model = flatbuffer.read((path / "model.tflite").read_bytes())
        stored.append(
            {
                model.buffers[tensor.buffer].data.tobytes()
                for subgraph in model.subgraphs
                for tensor in subgraph.tensors
                if tensor.type == schema.TensorType.INT8 and np.prod(tensor.shape) >= 1024
                if model.buffers[tensor.buffer].data is not None
            }
        )
    assert stored[0] == stored[1]


@pytest.mark.slow
def test_planned_weights_stay_out(tmp_path):
    """A product whose weights have another kind computes in floating point."""
    scheme = {"^encoder_layer_0/feed_forward/": "float32", "^decoder_layer_1/feed": "int4"}
    manifest = convert(
        make_transformer(),
        tmp_path / "bundle",
        quantization="static_int8",
        quantization_scheme=scheme,
        representative_data=sentences(60),
    )
    assert manifest["quantization_scheme"] == scheme
    assert manifest["encoder"]["float_operations"]["FULLY_CONNECTED"] == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "needs `representative_data`"),
        ([], "`representative_data` must have sentences"),
        ([5, 2], "`representative_data` must be lists of token ids. Received: 5 as sentence 0"),
        ([[5.5, 2]], "must be lists of token ids"),
        ([[[5, 2]]], "must be lists of token ids"),
        ([["a", "b"]], "must be lists of token ids"),
        ([[5, 2], []], "0 in sentence 1 of `representative_data`"),
        ([[5] * 20 + [2]], "from 1 to the model's 12 ids.*: 21 in"),
        ([[5, 6]], "must end with `eos_id`=2. Received: 6"),
        ([[99, 2]], "from 0 to 59. Received: 2 to 99"),
    ],
)
def test_representative_data_that_is_none(tmp_path, data, message):
    with pytest.raises(InputError, match=message):
        convert(
            make_transformer(depth=1),
            tmp_path / "bundle",
            quantization="static_int8",
            representative_data=data,
        )
    assert list(tmp_path.iterdir()) == []


def test_representative_data_for_nothing(tmp_path):
    with pytest.raises(InputError, match="`representative_data` is for static"):
        convert(make_transformer(depth=1), tmp_path / "bundle", representative_data=[[2]])
