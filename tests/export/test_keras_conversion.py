"""A stranger's own Keras model as a bundle."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from flavours import legacy_only
from layers import subclassed_models
from layers.harness import global_policy
from tensorflow import keras

from tfcompress import layers
from tfcompress.errors import InputError
from tfcompress.export import ExportError, Signature, convert
from tfcompress.export.conversion.keras_signatures import KerasSignatures
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.flatbuffer import schema
from tfcompress.export.quantization.quantizer import unpack
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models.cloning import leaf_layers
from tfcompress.optimization import quantize_aware, strip_quantization
from tfcompress.runtime import KerasModel, Translator

VOCABULARY, WIDTH = 80, 64
BITS = {schema.TensorType.INT8: 8, schema.TensorType.INT4: 4}


def ids_of(batch=3, length=7):
    ids = np.random.default_rng(0).integers(1, VOCABULARY, (batch, length)).astype("int32")
    ids[1:, -2:] = 0
    return ids


def encoder():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, WIDTH, mask_zero=True)(ids)
    # The square root of 32 is no power of two.
    x = keras.layers.LayerNormalization()(x + keras.layers.MultiHeadAttention(2, 32)(x, x))
    layer = layers.TransformerEncoderLayer(
        layers.MultiHeadAttention(2), feed_forward=layers.FeedForward(96)
    )
    x = layer(x, padding_mask=layers.PaddingMask()(ids))
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(ids, {"hidden": x, "pooled": pooled}, name="encoder")


def nested():
    ids = keras.Input((None,), dtype="int32", name="tokens")
    return keras.Model(ids, keras.layers.Dense(40, name="head")(encoder()(ids)["pooled"]))


class Subclassed(keras.Model):
    """A dictionary in, a dictionary out; ids of 64 bits."""

    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(VOCABULARY, WIDTH)
        self.mix = layers.TransformerEncoderLayer(
            layers.FixedPatternAttention(["previous", "next"]), feed_forward=layers.FeedForward(96)
        )
        self.head = keras.layers.Dense(30)

    def call(self, inputs, training=None):
        x = self.mix(self.embedding(inputs["ids"]) + inputs["added"], training=training)
        return {"logits": self.head(x), "mean": tf.reduce_mean(x, axis=1)}


def subclassed_inputs():
    added = np.random.default_rng(1).normal(size=(3, 7, WIDTH)).astype("f")
    return {"ids": ids_of().astype("int64"), "added": added}


def run(path, **inputs):
    with KerasModel(path) as model:
        return model.run(inputs)


def signature(inputs):
    return {"serving_default": Signature(inputs=inputs)}


def difference(manifest, name="serving_default"):
    return manifest["parity"][name]["relative_difference"]


@pytest.mark.costly
@pytest.mark.parametrize(
    ("quantization", "tolerance"),
    [("float32", 1e-5), ("dynamic_int8", 0.05), ("int4", 0.5), ("float16", 5e-3)],
)
def test_nested_model(quantization, tolerance, tmp_path):
    """Any batch and length, with padding."""
    model = nested()
    path = tmp_path / "bundle"
    manifest = convert(model, path, quantization=quantization, samples=[ids_of()])
    assert difference(manifest) < tolerance
    size = manifest["files"]["model.tflite"]["bytes"]
    assert size == (path / "model.tflite").stat().st_size
    assert manifest["signatures"] == {
        "serving_default": {
            "inputs": {"tokens": {"shape": [None, None], "dtype": "int32"}},
            "outputs": {"head": {"shape": [None, 40], "dtype": "float32"}},
        }
    }
    for ids in (ids_of(1, 3), ids_of(5, 11)):
        expected = model(ids).numpy()
        received = run(path, tokens=ids)["head"]
        assert np.abs(received - expected).max() <= tolerance * np.abs(expected).max()
    if quantization == "dynamic_int8":
        assert size < model.count_params() * 1.1 + 20_000


@pytest.mark.costly
@pytest.mark.parametrize(
    "name",
    [
        "DeFINEEmbedding",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in subclassed_models.LAYERS
            if name != "DeFINEEmbedding"
        ),
    ],
)
def test_trained_models_with_dropout_convert_in_every_way(name, tmp_path):
    model, ids = subclassed_models.Subclassed(name), subclassed_models.ids()
    subclassed_models.compile_and_fit(model)
    expected = model(ids)
    path = tmp_path / "bundle"
    manifest = convert(model, path, quantization="float32", signatures=signature(ids))
    assert difference(manifest) < 1e-5
    files = [
        (path / "model.tflite").read_bytes(),
        tf.lite.TFLiteConverter.from_keras_model(model).convert(),
    ]
    call = tf.function(lambda ids: model(ids, training=False))
    owner = tf.Module()
    owner.kept = [getattr(variable, "value", variable) for variable in model.variables]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [call.get_concrete_function(tf.TensorSpec(ids.shape, tf.int32))], owner
    )
    for data in [*files, converter.convert()]:
        interpreter = Interpreter(model_content=data)
        (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.resize_tensor_input(taken["index"], ids.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], ids.astype(taken["dtype"]))
        interpreter.invoke()
        np.testing.assert_allclose(interpreter.get_tensor(given["index"]), expected, atol=1e-5)


@pytest.mark.costly
@pytest.mark.parametrize("quantization", ["float32", "dynamic_int8"])
def test_subclassed_model(quantization, tmp_path):
    model, inputs = Subclassed(), subclassed_inputs()
    model(inputs)
    path = tmp_path / "bundle"
    with pytest.raises(InputError, match="subclassed model needs the `inputs`"):
        convert(model, path)
    manifest = convert(model, path, quantization=quantization, signatures=signature(inputs))
    assert difference(manifest) < (1e-5 if quantization == "float32" else 0.05)
    assert set(manifest["signatures"]["serving_default"]["inputs"]) == {"ids", "added"}
    received, expected = run(path, **inputs), model(inputs)
    assert set(received) == {"logits", "mean"}
    specs = {
        "ids": tf.TensorSpec([None, None], tf.int64),
        "added": tf.TensorSpec([None, None, WIDTH]),
    }
    convert(model, path, quantization="float32", signatures=signature(specs), force=True)
    received = run(path, **{name: value[:2, :5] for name, value in inputs.items()})
    expected = model({name: value[:2, :5] for name, value in inputs.items()})
    np.testing.assert_allclose(received["logits"], expected["logits"], atol=1e-4)


class Towers(keras.Model):
    """Several functions, one table, tied to the output layer."""

    def __init__(self):
        super().__init__()
        self.table = keras.layers.Embedding(VOCABULARY, WIDTH)
        self.dense = keras.layers.Dense(WIDTH)

    def encode(self, ids):
        return tf.reduce_mean(self.dense(self.table(ids)), axis=1)

    def score(self, left, right):
        logits = tf.matmul(left * right, self.table.embeddings, transpose_b=True)
        return {"logits": logits, "best": tf.argmax(logits, -1)}

    def call(self, inputs):
        return self.score(self.encode(inputs), self.encode(inputs))


def towers():
    model, spec = Towers(), tf.TensorSpec
    model(ids_of())
    vectors = spec([None, WIDTH])
    signatures = {
        "encode": Signature(model.encode, spec([None, None], tf.int32), output_names=["vector"]),
        "score": Signature(model.score, (vectors, vectors), input_names=["left", "right"]),
    }
    return model, signatures


@pytest.mark.costly
@pytest.mark.parametrize("quantization", ["dynamic_int8", "static_int8", "float32"])
def test_signatures_share_one_table(quantization, tmp_path):
    model, signatures = towers()
    # Ranges are those of the vectors that are compared below.
    vectors = tuple(np.array(model.encode(ids)) for ids in (ids_of(), ids_of(3, 4)))
    data = {"encode": [ids_of()], "score": [vectors]}
    options = {"representative_data": data} if quantization == "static_int8" else {"samples": data}
    path = tmp_path / "bundle"
    manifest = convert(model, path, signatures=signatures, quantization=quantization, **options)
    limit = 1e-5 if quantization == "float32" else 0.05
    assert max(difference(manifest, name) for name in signatures) < limit
    if quantization == "static_int8":
        assert manifest["static"]["score"]["float_operations"] == {"ARG_MAX": 1}
    bytes_a_weight = 4 if quantization == "float32" else 1
    size = manifest["files"]["model.tflite"]["bytes"]
    assert size < 1.1 * bytes_a_weight * model.count_params() + 6000
    with KerasModel(path) as bundle:
        a, b = (bundle.run(ids, signature="encode")["vector"] for ids in (ids_of(), ids_of(3, 4)))
        assert list(bundle.run({"left": a, "right": b}, signature="score", outputs=["best"])) == [
            "best"
        ]
        actual = bundle.run({"left": a, "right": b}, signature="score")
    expected = model.score(a, b)["logits"]
    assert np.abs(actual["logits"] - expected).max() < limit * np.abs(expected).max()
    assert actual["best"].dtype == "int64"


class LanguageModel(keras.Model):
    """A decoder without encoder, with one table for input and output."""

    def __init__(self):
        super().__init__()
        self.table = keras.layers.Embedding(VOCABULARY, WIDTH)
        self.blocks = [
            layers.TransformerDecoderLayer(
                layers.MultiHeadAttention(2, causal=True),
                cross_attention=None,
                feed_forward=layers.FeedForward(96),
            )
            for _ in range(2)
        ]

    def call(self, ids, training=None):
        x = self.table(ids)
        for block in self.blocks:
            x = block(x, training=training)
        return tf.matmul(x, self.table.embeddings, transpose_b=True)

    def init_cache(self, rows, length):
        return [block.init_cache(rows, length) for block in self.blocks]

    def step(self, ids, position, cache):
        x, new = self.table(ids), []
        for block, kept in zip(self.blocks, cache):
            x, kept = block.step(x, position, kept)
            new.append(kept)
        return {"logits": tf.matmul(x, self.table.embeddings, transpose_b=True), "cache": new}


def test_a_language_model_decodes_step_by_step(tmp_path):
    model, ids = LanguageModel(), ids_of(2, 6)
    expected = model(ids).numpy()
    cache = model.init_cache(2, 6)
    specs = tf.nest.map_structure(lambda x: tf.TensorSpec([None, 2, None, WIDTH // 2]), cache)
    signatures = {
        "score": Signature(inputs=tf.TensorSpec([None, None], tf.int32)),
        "step": Signature(
            model.step, (tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32), specs)
        ),
    }
    samples = {"score": [ids], "step": [(ids[:, 0], 0, cache)]}
    path = tmp_path / "bundle"
    manifest = convert(model, path, signatures=signatures, quantization="float32", samples=samples)
    assert max(difference(manifest, name) for name in signatures) < 1e-5
    size = manifest["files"]["model.tflite"]["bytes"]
    assert size < 1.05 * 4 * model.count_params() + 20_000
    names = [n for n in manifest["signatures"]["step"]["inputs"] if n.startswith("input_2")]
    kept = dict(zip(names, map(np.asarray, tf.nest.flatten(cache))))
    with KerasModel(path) as bundle:
        for position in range(6):
            inputs = {"input_0": ids[:, position], "input_1": position, **kept}
            actual = bundle.run(inputs, signature="step")
            np.testing.assert_allclose(actual["logits"], expected[:, position], atol=1e-4)
            kept = {name: actual[name.replace("input_2", "cache")] for name in names}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    model, signatures = towers()
    path = tmp_path_factory.mktemp("towers") / "bundle"
    convert(model, path, signatures=signatures)
    with KerasModel(path) as bundle:
        yield bundle


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ({}, {}, "must be a name. Received: None.*encode, score"),
        ({}, {"signature": "other"}, "Received: 'other'"),
        ({}, {"signature": "score"}, "Give left, right"),
        (np.ones(3), {"signature": "score"}, "must map names to arrays"),
        (np.ones([2, 3], int), {"signature": "encode", "outputs": ["x"]}, "has vector"),
        (np.ones([2], int), {"signature": "encode"}, r"must have the shape \(None, None\)"),
        (np.ones([2, 3]), {"signature": "encode"}, "must be int32"),
        (np.full([2, 3], 2**40), {"signature": "encode"}, "must be int32"),
        (np.array([["a"]]), {"signature": "encode"}, "must be int32"),
        (np.full([2, 3], VOCABULARY), {"signature": "encode"}, "Give ids that the model's tables"),
        (
            {"left": np.ones([2, WIDTH]), "right": np.ones([2, WIDTH - 1])},
            {"signature": "score"},
            "must have the shape",
        ),
        (
            {"left": np.ones([2, WIDTH]), "right": np.ones([3, WIDTH])},
            {"signature": "score"},
            "shapes that go together",
        ),
    ],
)
def test_wrong_inputs_of_a_bundle(bundle, inputs, options, message):
    with pytest.raises(InputError, match=message):
        bundle.run(inputs, **options)
    assert bundle.run(ids_of(), signature="encode")["vector"].shape == (3, WIDTH)


def test_another_bundle_or_none(bundle, tmp_path):
    with pytest.raises(InputError, match="of a Keras model, which KerasModel runs"):
        Translator(bundle.bundle.path)
    with pytest.raises(InputError, match="A bundle must be a folder"):
        KerasModel(tmp_path / "none")


@pytest.mark.slow
def test_sequential_model_with_several_inputs_below(tmp_path):
    inputs = [keras.Input((8,), name="a"), keras.Input((8,), name="b")]
    dense = keras.Sequential([keras.layers.Dense(64), keras.layers.Dense(40)])
    model = keras.Model(inputs, [dense(inputs[0]), dense(inputs[1])])
    batch = list(np.random.default_rng(0).normal(size=(2, 3, 8)).astype("f"))
    manifest = convert(model, tmp_path / "a", quantization="float32", samples=[batch])
    assert difference(manifest) < 1e-5
    (actual,) = manifest["signatures"].values()
    assert set(actual["inputs"]) == {"a", "b"}
    assert len(actual["outputs"]) == 2
    manifest = convert(dense, tmp_path / "b", quantization="float32", samples=[batch[0]])
    assert difference(manifest) < 1e-5


def test_half_precision_is_exported_in_float32(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = nested()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    path = tmp_path / "bundle"
    manifest = convert(model, path, quantization="float32", samples=[ids_of()])
    assert manifest["signatures"]["serving_default"]["outputs"]["head"]["dtype"] == "float32"
    expected = model(ids_of()).numpy().astype("f")
    received = run(path, tokens=ids_of())["head"]
    assert np.abs(received - expected).max() < 0.05 * np.abs(expected).max()


@pytest.mark.slow
def two_layers():
    inputs = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, 8)(inputs)
    inner = keras.Sequential([keras.layers.Dense(4, dtype="float32")])
    return keras.Model(inputs, keras.layers.Dense(2)(inner(x)))


@pytest.mark.parametrize("trained", ["float32", "mixed_float16"])
def test_under_a_half_precision_policy(trained, tmp_path):
    with global_policy(trained):
        model = two_layers()
    with global_policy("mixed_float16"):
        path = tmp_path / "bundle"
        convert(model, path, quantization="float32", samples=[ids_of()])
        assert keras.mixed_precision.global_policy().name == "mixed_float16"
    expected = model(ids_of()).numpy().astype("f")
    (received,) = run(path, ids=ids_of()).values()
    assert np.abs(received - expected).max() < 0.02 * np.abs(expected).max()


def test_float32_layers_in_models_made_under_a_half_precision_policy(tmp_path):
    """Containers compute nothing; a subclassed model rounds its inputs."""
    with global_policy("mixed_float16"):
        x = keras.Input((4,))
        inner = keras.Sequential([keras.layers.Dense(4, dtype="float32")])
        model = keras.Model(x, keras.layers.Dense(3, dtype="float32")(inner(x)))
        half = Subclassed()
    inputs = np.random.default_rng(0).normal(size=(5, 4)).astype("f")
    manifest = convert(model, tmp_path / "a", quantization="float32", samples=[inputs])
    assert difference(manifest) < 1e-5
    half(subclassed_inputs())
    with pytest.raises(InputError, match="must compute in float32"):
        convert(half, tmp_path / "b", signatures=signature(subclassed_inputs()))


def test_quantization_scheme(tmp_path):
    model = nested()
    scheme = {"^head/": "float32", "encoder/multi_head": "int4_per_channel"}
    path = tmp_path / "bundle"
    convert(model, path, quantization="mixed", quantization_scheme=scheme)
    stored = flatbuffer.read((path / "model.tflite").read_bytes())
    types = [
        tensor.type
        for tensor in stored.subgraphs[0].tensors
        if stored.buffers[tensor.buffer].data is not None and np.prod(tensor.shape) >= 1024
    ]
    assert types.count(schema.TensorType.FLOAT32) == 1
    assert types.count(schema.TensorType.INT4) == 4  # of the attention of Keras
    with pytest.raises(InputError, match="matches none"):
        convert(
            model, path, quantization="mixed", quantization_scheme={"nothing": "int8"}, force=True
        )


def stored_grids(path):
    """The integers of each stored weight by row, and the scales."""
    model = flatbuffer.read((path / "model.tflite").read_bytes())
    actual = []
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            data = model.buffers[tensor.buffer].data
            if tensor.type not in BITS or data is None or np.prod(tensor.shape) < 1024:
                continue
            q = tensor.quantization
            scales = q.scale
            if q.details is not None:
                buffer = model.buffers[subgraph.tensors[q.details.scales].buffer]
                scales = np.asarray(buffer.data).view(np.float16)
            integers = unpack(np.asarray(data).view(np.uint8), BITS[tensor.type])
            actual.append((integers.reshape(tensor.shape), np.asarray(scales, np.float32)))
    return actual


def trained_grids(model, assignment):
    """The same of each weight that was trained on a grid."""
    leaves = leaf_layers(model)
    for weight in assignment.weights:
        if weight.grid is None:
            continue
        slots = {slot.path: slot for slot in weight_slots(leaves[weight.layer])}
        value = slots[weight.path].get().numpy()
        integers, scales = weight.grid.quantize(value)
        np.testing.assert_array_equal(weight.grid.dequantize(integers, scales), value)
        channels = [axis % value.ndim for axis in weight.grid.channels] or [value.ndim - 1]
        rest = [axis for axis in range(value.ndim) if axis not in channels]
        rows = np.prod([value.shape[axis] for axis in channels])
        if weight.grid.block_size is not None:
            scales = scales.reshape(rows, -1) if channels == [0] else scales.reshape(-1, rows).T
        yield (
            f"{weight.layer}/{weight.path}",
            integers.transpose(*channels, *rest).reshape(rows, -1),
            scales.reshape(-1),
        )


@pytest.mark.slow
@legacy_only
@pytest.mark.parametrize(
    ("options", "quantization"),
    [
        ({"bits": 4, "block_size": 32}, "int4"),
        ({"bits": 4}, "int4_per_channel"),
        ({"bits": 8}, "dynamic_int8"),
    ],
)
def test_trained_grids_are_kept_bit_for_bit(options, quantization, tmp_path):
    model = quantize_aware(nested(), **options)
    model.compile(keras.optimizers.legacy.Adam(0.01), "mse", run_eagerly=True)
    model.fit(ids_of(), np.ones((3, 40)), epochs=2, verbose=0)
    plain = strip_quantization(model)
    path = tmp_path / "bundle"
    with pytest.raises(InputError, match=r"of quantize_aware\. Strip it first"):
        convert(model, path)
    convert(plain, path, quantization=quantization)
    stored = stored_grids(path)
    expected = list(trained_grids(plain, model.quantizer_assignment))
    assert len(expected) == len(stored) == 12
    kept = {}
    for name, integers, scales in expected:
        kept[name] = [
            np.array_equal(np.broadcast_to(scales, its.shape), its)
            for values, its in stored
            if np.array_equal(values, integers)
        ]
    assert all(matches == [True] for matches in kept.values()), kept


def two_inputs(inputs):
    left, right = inputs
    y = keras.layers.Dense(3)(left) - 2.0 * keras.layers.Dense(3)(right)
    return keras.Model([left, right], y)


def test_batches_by_name(tmp_path):
    """The order of a list of inputs is not that of their names."""
    left, right = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("f")
    model = two_inputs([keras.Input((5,), name="z"), keras.Input((5,), name="a-b")])
    by_name = {"a-b": right, "z": left}
    find = KerasSignatures(model, None, model).batches
    wanted = find("samples", [[left, right]])["serving_default"][0]
    assert list(wanted) == ["z", "a_b"]
    given = [by_name, {"z": left, "a_b": right}, (left, right)]
    renamed = Signature(inputs=by_name, input_names=["one", "two"])
    functions = KerasSignatures(model, {"f": renamed}, model)
    actual = [find("samples", [batch])["serving_default"][0] for batch in given]
    actual += functions.batches("samples", [{"two": right, "one": left}])["f"]
    actual += functions.default_batches()["f"]
    for batch in actual:
        for one, other in zip(batch.values(), wanted.values(), strict=True):
            np.testing.assert_array_equal(one, other)
    path = tmp_path / "bundle"
    convert(model, path, quantization="static_int8", representative_data=[by_name])
    convert(model, path, samples=[by_name], quantization="float32", force=True)
    (received,) = run(path, z=left, a_b=right).values()
    np.testing.assert_allclose(received, model([left, right]), atol=1e-5)


@pytest.mark.parametrize(
    "batch",
    [
        {"a": 0, "c": 0},
        {"a": 0},
        {"a": 0, "b": 0, "c": 0},
        {"a": {"x": 0}, "b": 0},
        {},
    ],
)
def test_batches_of_other_names(batch):
    model = two_inputs([keras.Input((5,), name="b"), keras.Input((5,), name="a")])
    one = np.zeros((2, 5), "f")
    batch = tf.nest.map_structure(lambda _: one, batch)
    with pytest.raises(InputError, match=r"one of each input.* by name.*Give b, a"):
        KerasSignatures(model, None, model).batches("representative_data", [batch])
    with pytest.raises(InputError, match="`inputs` must have one of each input"):
        KerasSignatures(model, {"f": Signature(inputs=batch)}, model)
    swapped = KerasSignatures(model, {"f": Signature(input_names=["a", "b"])}, model)
    with pytest.raises(InputError, match="one of each input"):
        swapped.batches("samples", [{"a": one, "b": one}])


def test_a_list_for_a_dictionary():
    inputs = {"b": keras.Input((5,), name="b"), "a": keras.Input((5,), name="a")}
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs["b"]) + inputs["a"][:, :3])
    one, other = np.zeros((2, 5), "f"), np.ones((2, 5), "f")
    functions = KerasSignatures(model, None, model)
    actual = functions.batches("samples", [{"b": one, "a": other}])["serving_default"][0]
    assert (actual["a"] == other).all()
    assert (actual["b"] == one).all()
    with pytest.raises(InputError, match="list of 2"):
        functions.batches("samples", [[one, other]])


def test_wrong_arguments(tmp_path):
    model = nested()
    path = tmp_path / "bundle"
    one = Signature(inputs=ids_of())
    for options, message in [
        ({"quantization": "static_int8"}, "needs `representative_data`"),
        ({"quantization": "static_int8", "representative_data": []}, "is empty"),
        ({"quantization": "int3"}, "must be one of"),
        ({"quantization_scheme": {".": "int8"}}, "is for `quantization` mixed"),
        ({"samples": [[ids_of(), ids_of()]]}, "must have one of each input"),
        ({"samples": ids_of()}, "Put a single batch into a list"),
        ({"samples": [ids_of()[0]]}, "must fit the signature"),
        ({"samples": {"other": [ids_of()]}}, "must map signatures"),
        ({"samples": [ids_of()], "signatures": {"a": one, "b": one}}, "must be by signature"),
        ({"signatures": {}}, "must map names to Signature"),
        ({"signatures": {"a": ids_of()}}, "Wrap it"),
        ({"signatures": {"a": Signature(lambda x: x)}}, "a function needs the `inputs`"),
        ({"signatures": {"a": Signature(inputs=[ids_of(), ids_of()])}}, "one of each input"),
        ({"signatures": {"a": Signature(input_names=["a", "b"])}}, "must name each one"),
        ({"tokenizer": object()}, "takes no `tokenizer`"),
    ]:
        with pytest.raises(InputError, match=message):
            convert(model, path, **options)
    with pytest.raises(InputError, match="or a Keras model"):
        convert(layers.FeedForward(8), path)
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        convert(model, path)
    path.unlink()
    foreign = keras.layers.Dense(40)
    foreign.build((None, 40))
    with pytest.raises(InputError, match="weights of the model only"):
        convert(
            model, path, signatures={"a": Signature(lambda x: foreign(model(x)), inputs=ids_of())}
        )
    model.get_layer("head").bias.assign(np.full(40, np.nan))
    with pytest.raises(InputError, match="must be finite"):
        convert(model, path)
    x = keras.Input((4,))
    odd = keras.Model(x, keras.layers.Lambda(lambda x: tf.math.bessel_i0(x))(x))
    with pytest.raises(ExportError, match="BesselI0"):
        convert(odd, path)
    assert not path.exists()


def test_a_step_decoder_converts_plainly():
    """A decoder step of one's own, by TensorFlow's converter alone."""
    layer = layers.TransformerDecoderLayer(
        layers.MultiHeadAttention(2, causal=True),
        cross_attention=None,
        feed_forward=layers.FeedForward(32),
    )
    x = np.random.default_rng(0).normal(size=(2, 5, 16)).astype("f")
    expected = layer(x).numpy()
    cache = layer.init_cache(2, 5)
    state = {f"state_{i}": value for i, value in enumerate(tf.nest.flatten(cache))}

    @tf.function(
        input_signature=[
            tf.TensorSpec([2, 16], name="x"),
            tf.TensorSpec([], tf.int32, "position"),
            {name: tf.TensorSpec(value.shape, name=name) for name, value in state.items()},
        ]
    )
    def step(x, position, state):
        before = tf.nest.pack_sequence_as(cache, list(state.values()))
        y, after = layer.step(x, position, before)
        return {"y": y, **{f"new_{i}": value for i, value in enumerate(tf.nest.flatten(after))}}

    module = tf.Module()
    module.kept = [v if isinstance(v, tf.Variable) else v.value for v in layer.variables]
    module.step = step
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [step.get_concrete_function()], module
    )
    runner = Interpreter(model_content=converter.convert()).get_signature_runner()
    state = {name: value.numpy() for name, value in state.items()}
    for position in range(5):
        outputs = runner(x=x[:, position], position=np.int32(position), **state)
        np.testing.assert_allclose(outputs.pop("y"), expected[:, position], atol=1e-5)
        state = {name.replace("new", "state"): value for name, value in outputs.items()}
