import numpy as np
import pytest
from export_harness import assert_export_parity, make_transformer
from flavours import one_flavour
from optimization.families import FAMILIES, make_family, slow_but

from tfcompress.errors import InputError
from tfcompress.export import ExportOptions, convert
from tfcompress.export.conversion.signatures import Signatures
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema
from tfcompress.export.graph.model_file import lower
from tfcompress.export.quantization.quantization_scheme import QuantizationScheme, WeightNames
from tfcompress.export.quantization.quantizer import quantize, type_chooser
from tfcompress.export.quantization.schemes import WEIGHT_TYPES
from tfcompress.layers.common.weight_slots import weight_slots

pytestmark = one_flavour

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int8": schema.TensorType.INT8,
    "int4": schema.TensorType.INT4,
    "int4_per_channel": schema.TensorType.INT4,
}

# In every run; the others take their time.
_ALWAYS = {"factorized_shared"}


def types_by_name(transformer, scheme, folder):
    """Returns the type of every large weight of the quantized model, by name."""
    names = WeightNames(transformer)
    model = lower(Signatures(transformer, ExportOptions()), folder)
    before = {
        (number, index): names.find(model.buffers[t.buffer].data.view("f").reshape(t.shape))
        for number, subgraph in enumerate(model.subgraphs)
        for index, t in enumerate(subgraph.tensors)
        if t.type == schema.TensorType.FLOAT32 and np.prod(t.shape) >= 1024
        if model.buffers[t.buffer].data is not None
    }
    quantize(model, type_chooser("mixed", QuantizationScheme(scheme, names)))
    types = {}
    for (number, index), name in before.items():
        types.setdefault(name, set()).add(model.subgraphs[number].tensors[index].type)
    return types


@pytest.mark.slow
@pytest.mark.parametrize("family", slow_but(_ALWAYS, FAMILIES))
def test_every_weight_is_known(family, tmp_path):
    """No family's weights lose their names on the way, and each is where the plan has it."""
    transformer = make_family(family)
    rng = np.random.default_rng(0)
    for variable in transformer.model.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.05, variable.shape))
    types = types_by_name(transformer, {"^encoder": "float32", "^decoder": "float16"}, tmp_path)
    expected = {"encoder": {TYPES["float32"]}, "decoder": {TYPES["float16"]}}
    assert None not in types
    for name, actual in types.items():
        assert actual == expected.get(name.split("_")[0], {TYPES["int8"]}), name
    large = {
        f"{layer.name}/{slot.path}"
        for layer in transformer.model.layers
        for slot in weight_slots(layer)
        if np.prod(slot.get().shape) >= 1024
    }
    assert set(types) == large


@pytest.mark.slow
def test_the_first_expression_counts(tmp_path):
    scheme = {"/inner/": "float32", "^encoder_layer_0/": "int4", "^encoder": "int4_per_channel"}
    types = types_by_name(make_transformer(), scheme, tmp_path)
    assert types["encoder_layer_0/feed_forward/inner/kernel"] == {TYPES["float32"]}
    assert types["encoder_layer_0/feed_forward/outer/kernel"] == {TYPES["int4"]}
    assert types["encoder_layer_1/feed_forward/inner/kernel"] == {TYPES["float32"]}
    assert types["decoder_layer_0/feed_forward/outer/kernel"] == {TYPES["int8"]}


@pytest.mark.slow
def test_a_bundle_of_every_kind(tmp_path):
    scheme = {
        "^encoder_layer_0/": "int4",
        "^encoder_layer_1/": "float16",
        "^decoder_layer_0/": "int4_per_channel",
        "^decoder_layer_1/.*attention": "float32",
    }
    manifest = assert_export_parity(
        make_transformer(), quantization="mixed", quantization_scheme=scheme
    )
    assert (manifest["quantization"], manifest["quantization_scheme"]) == ("mixed", scheme)


@pytest.mark.slow
def test_plans_of_one_kind_are_that_quantization(tmp_path):
    transformer = make_transformer(depth=1)
    for kind, quantization in (("int4", "int4"), ("float16", "float16")):
        files = []
        for name, options in (
            ("mixed", {"quantization": "mixed", "quantization_scheme": {".": kind}}),
            ("one", {"quantization": quantization}),
        ):
            convert(transformer, tmp_path / kind / name, samples=[[5, 2]], **options)
            files.append((tmp_path / kind / name / "model.tflite").read_bytes())
        assert flatbuffer.operation_counts(flatbuffer.read(files[0])) == (
            flatbuffer.operation_counts(flatbuffer.read(files[1]))
        )
        assert files[0] == files[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantization": "mixed"}, "needs a `quantization_scheme`"),
        ({"quantization": "mixed", "quantization_scheme": {}}, "must map regular expressions"),
        ({"quantization": "mixed", "quantization_scheme": ["a"]}, "must map regular expressions"),
        (
            {"quantization": "mixed", "quantization_scheme": {"(": "int8"}},
            "`quantization_scheme` must be a regular expression",
        ),
        (
            {"quantization": "mixed", "quantization_scheme": {"a": "int3"}},
            f"{', '.join(WEIGHT_TYPES)}. Received: 'int3'",
        ),
        (
            {"quantization": "mixed", "quantization_scheme": {"zzz": "int8"}},
            "'zzz', which matches none of",
        ),
        (
            {"quantization": "int4", "quantization_scheme": {".": "int8"}},
            "only. Received: quantization='int4'",
        ),
    ],
)
def test_bad_schemes(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        convert(make_transformer(depth=1), tmp_path / "bundle", **options)
    assert list(tmp_path.iterdir()) == []
