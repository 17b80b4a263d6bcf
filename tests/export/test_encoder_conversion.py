"""Text encoders as bundles, compared with their models by LiteRT's plain interpreter."""

import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from export_harness import assert_stored_once, plain_transformer
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from optimization.families import slow_but
from runtime.small_encoders import (
    HEADS,
    MAX_LENGTH,
    PIECES,
    make_encoder,
    make_tokenizer,
    model_outputs,
)
from tensorflow import keras

from tfcompress import models
from tfcompress.errors import InputError
from tfcompress.export import QUANTIZATIONS, ExportError, ExportOptions, convert
from tfcompress.export.conversion import text_encoder_parity
from tfcompress.export.conversion.text_encoder_exporter import TextEncoderExporter
from tfcompress.export.graph import flatbuffer
from tfcompress.export.quantization.schemes import STATIC
from tfcompress.text import Tokenizer, WordPieceTokenizer

SAMPLES = [[2, 5, 9, 4, 3], [2, 8, 3], [2, 3], list(range(2, 2 + MAX_LENGTH))]
# Mean difference, as a part of the results' standard deviation, that rounding may cause.
TOLERANCES = {"float32": 1e-5, "float16": 5e-3}
INTEGERS = 0.6
QUICK_QUANTIZATIONS = ("dynamic_int8", "int4", "static_int8")


@pytest.fixture(autouse=True)
def in_python(monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")


@pytest.fixture(scope="module")
def encoders():
    return {head: make_encoder(head) for head in HEADS}


def runner(path):
    interpreter = Interpreter(
        model_content=(path / "model.tflite").read_bytes(),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    return interpreter.get_signature_runner("encode")


def results(run, ids, types=None, token_types=2):
    inputs = {"token_ids": np.array([ids], np.int32)}
    if token_types:
        inputs["token_type_ids"] = np.array([types or [0] * len(ids)], np.int32)
    return {name: value[0] for name, value in run(**inputs).items()}


def assert_same(run, encoder, quantization="float32"):
    token_types = encoder.config.token_types
    for ids in SAMPLES:
        actual, theirs = results(run, ids, None, token_types), model_outputs(encoder, ids)
        assert {*actual} == {*theirs}
        for name, expected in theirs.items():
            # One score alone has no spread.
            spread = expected.std() or np.abs(expected).mean()
            error = np.abs(actual[name] - expected).mean() / spread
            assert error < TOLERANCES.get(quantization, INTEGERS), (name, error)


@pytest.mark.costly
@pytest.mark.parametrize("head", HEADS)
def test_heads(encoders, tmp_path, head):
    manifest = convert(encoders[head], tmp_path / "b", quantization="float32")
    assert_same(runner(tmp_path / "b"), encoders[head])
    assert manifest["model_type"] == "text_encoder"
    assert manifest["head"] is None if head is None else manifest["head"]["task"] == head
    assert manifest["limits"] == {"max_length": MAX_LENGTH}
    assert manifest["ids"] == {"pad": 0, "start": None, "end": None}
    assert manifest["tokenizer"] is None
    parity = manifest["parity"]
    assert parity["max_difference"] <= parity["tolerance"]
    assert parity["min_cosine"] > 0.9999
    assert parity["native"] is None
    has_classes = "logits" in manifest["outputs"] and head != "regression"
    assert ("identical_classes" in parity) == has_classes
    assert parity.get("identical_classes", 1.0) == 1.0


@pytest.mark.costly
@pytest.mark.parametrize("quantization", slow_but(QUICK_QUANTIZATIONS, QUANTIZATIONS))
def test_quantizations(encoders, tmp_path, quantization):
    options = {}
    if quantization == "mixed":
        options["quantization_scheme"] = {"^embedding/": "int4"}
    if quantization in STATIC:
        options["representative_data"] = SAMPLES * 4
    encoder = encoders["embedding"]
    manifest = convert(encoder, tmp_path / "b", quantization=quantization, **options)
    assert_same(runner(tmp_path / "b"), encoder, quantization)
    model = flatbuffer.read((tmp_path / "b" / "model.tflite").read_bytes())
    assert flatbuffer.custom_operations(model) == set()
    assert_stored_once(model)
    assert manifest["quantization"] == quantization
    assert manifest["parity"]["mean_cosine"] > 0.8
    if quantization in STATIC:
        assert manifest["encoder"]["activation_bits"] == STATIC[quantization]
        assert "FULLY_CONNECTED" not in manifest["encoder"]["float_operations"]


@pytest.fixture(scope="module")
def exported(encoders, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "b"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOMPRESS_NATIVE", "0")
        convert(encoders[None], path, quantization="float32", samples=SAMPLES)
    return runner(path)


@given(st.data(), st.integers(1, MAX_LENGTH))
@settings(max_examples=15)
def test_any_length_and_types(exported, encoders, data, length):
    ids = data.draw(st.lists(st.integers(1, len(PIECES) - 1), min_size=length, max_size=length))
    types = data.draw(st.lists(st.integers(0, 1), min_size=length, max_size=length))
    actual = results(exported, ids, types)
    for name, expected in model_outputs(encoders[None], ids, types).items():
        np.testing.assert_allclose(actual[name], expected, atol=2e-5 * np.abs(expected).max())


SHAPES = {
    "albert": {
        "embedding_dim": 8,
        "encoder": models.StackConfig(
            3,
            attention=models.AttentionConfig(4),
            feed_forward=models.FeedForwardConfig(64, activation="gelu_tanh"),
            sharing=models.SharingConfig("all"),
        ),
    },
    "without types": {"token_types": 0, "pooler": False},
    "pre-norm": {"normalize_first": True},
    "layers that drop": {
        "encoder": models.StackConfig(
            2,
            attention=models.AttentionConfig(4),
            feed_forward=models.FeedForwardConfig(64, activation="relu"),
            layer_drop=models.LayerDropConfig(0.2),
        )
    },
    "fixed patterns": {
        "encoder": models.StackConfig(
            2,
            attention=models.FixedPatternConfig(4, patterns=("previous", "next")),
            feed_forward=models.FeedForwardConfig(64, activation="gelu"),
        )
    },
}


@pytest.mark.costly
@pytest.mark.parametrize("shape", slow_but(("albert", "fixed patterns"), SHAPES))
def test_shapes(tmp_path, shape):
    encoder = make_encoder(None, **SHAPES[shape])
    convert(encoder, tmp_path / "b", quantization="float32", samples=SAMPLES)
    assert_same(runner(tmp_path / "b"), encoder)
    manifest = convert(encoder, tmp_path / "int8", samples=SAMPLES)
    assert manifest["parity"]["mean_cosine"] > 0.95


@pytest.mark.slow
def test_shared_layers_are_stored_once(tmp_path):
    sizes = []
    for layers in (1, 6):
        stack = models.StackConfig(
            layers,
            attention=models.AttentionConfig(4),
            feed_forward=models.FeedForwardConfig(128),
            sharing=models.SharingConfig("all"),
        )
        manifest = convert(
            make_encoder(None, hidden_dim=64, encoder=stack), tmp_path / str(layers),
            samples=[[2, 3]],
        )  # fmt: skip
        sizes.append(manifest["files"]["model.tflite"]["bytes"])
    # Five more layers are only their operations.
    assert sizes[1] - sizes[0] < 0.5 * sizes[0]


def test_trained_in_mixed_precision(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        encoder = make_encoder("classification")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    manifest = convert(encoder, tmp_path / "b", quantization="float32", samples=SAMPLES)
    assert manifest["parity"]["identical_classes"] == 1.0


def test_the_tokenizer_goes_along(encoders, tmp_path):
    tokenizer = make_tokenizer()
    manifest = convert(
        encoders["embedding"], tmp_path / "b", tokenizer=tokenizer, samples=SAMPLES[:1]
    )
    assert manifest["tokenizer"] == json.loads(json.dumps(tokenizer.settings()))
    assert manifest["ids"] == {"pad": 0, "start": 2, "end": 3}
    written = {p.name: p.read_bytes() for p in (tmp_path / "b").iterdir()}
    assert {*tokenizer.files().items()} <= {*written.items()}
    assert (
        {*manifest["files"]}
        == {*written} - {"manifest.json"}
        == {
            "model.tflite",
            "vocabulary.txt",
        }
    )
    assert manifest == json.loads(written["manifest.json"])


@pytest.mark.slow
def test_the_tokenizer_as_a_graph(encoders, tmp_path):
    manifest = convert(
        encoders["embedding"], tmp_path / "b", tokenizer=make_tokenizer(), tokenizer_graph=True
    )
    assert manifest["tokenizer_graph"] == "tokenizer.tflite"
    assert manifest["files"]["tokenizer.tflite"]["bytes"] > 0


def other_tokenizer(**changes):
    return WordPieceTokenizer([*PIECES, *changes.pop("more", ())], **changes)


WRONG = {
    "`tokenizer` must be one of .*Received: int": {"tokenizer": 3},
    "Received: 30 pieces for 26 rows": {"tokenizer": other_tokenizer(more="1234")},
    "pad_id=4 instead of 0": {"tokenizer": other_tokenizer(pad="two")},
    "A text encoder model takes no `source_tokenizer`.*Give tokenizer": {
        "source_tokenizer": object()
    },
    "A text encoder model takes no `shortlist`": {"shortlist": object(), "custom_ops": True},
    "`quantization` must be one of": {"quantization": "int3"},
    "`quantization` static_int8 needs `representative_data`": {"quantization": "static_int8"},
    "`representative_data` is for static": {"representative_data": [[2, 3]]},
    "`samples` must have sentences": {"samples": []},
    "0 in sentence 1 of `samples`": {"samples": [[2, 3], []]},
    "from 1 to the model's 24 .*25 in sentence 0": {"samples": [[2] * 25]},
    "Received: 2 to 26 in sentence 0 of `samples`": {"samples": [[2, 26]]},
    "`samples` of texts needs a tokenizer.*Give tokenizer, or token ids": {"samples": ["two dogs"]},
    "`samples` must be lists of token ids.*sentence 0": {"samples": ["two dogs", 5]},
    "`force` must be true or false": {"force": "yes"},
    "Custom operations need the native runtime": {"custom_ops": ["tfc.EncoderLayer"]},
    "`custom_ops` must be True, False or a list of": {"custom_ops": ["tfc.Nothing"]},
    "`quantization_scheme` must name weights of the model": {
        "quantization": "mixed",
        "quantization_scheme": {"x": "int4"},
    },
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_arguments(encoders, tmp_path, message):
    with pytest.raises(InputError, match=message) as error:
        convert(encoders[None], tmp_path / "b", **WRONG[message])
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_arguments_of_text_encoders_only(tmp_path):
    with pytest.raises(InputError, match=r"A translation model takes no `tokenizer`.*Give source"):
        convert(plain_transformer(), tmp_path / "b", tokenizer=make_tokenizer())
    with pytest.raises(InputError, match=r"`model` must be a Seq2SeqTransformer, .*Received: str"):
        convert("bert", tmp_path / "b")


def test_a_sentencepiece_tokenizer_of_translation_models(encoders, tmp_path):
    assert not issubclass(Tokenizer, WordPieceTokenizer)
    with pytest.raises(InputError, match=r"`tokenizer` must be one of .*Received: Tokenizer"):
        convert(encoders[None], tmp_path / "b", tokenizer=Tokenizer.__new__(Tokenizer))


@pytest.mark.slow
@one_flavour
def test_existing_bundles(encoders, tmp_path):
    convert(encoders[None], tmp_path / "b", samples=[[2, 3]])
    with pytest.raises(InputError, match="exists already"):
        convert(encoders[None], tmp_path / "b", samples=[[2, 3]])
    manifest = convert(encoders[None], tmp_path / "b", samples=[[2, 3]], force=True)
    assert manifest["quantization"] == "dynamic_int8"


def test_weights_that_are_not_finite(tmp_path):
    encoder = make_encoder(None)
    encoder.model.weights[0].assign(encoder.model.weights[0] * np.nan)
    with pytest.raises(InputError, match=r"must be finite.*training diverged"):
        convert(encoder, tmp_path / "b")


@one_flavour
def test_a_bundle_that_computes_something_else(encoders, tmp_path, monkeypatch):
    """Whatever goes wrong on the way, the folder does not appear."""
    real = encoders[None].call_without_mask

    def doubled(*inputs):
        return {name: 2 * value for name, value in real(*inputs).items()}

    monkeypatch.setattr(encoders[None], "call_without_mask", doubled)
    with pytest.raises(ExportError, match="a difference of up to"):
        convert(encoders[None], tmp_path / "b", quantization="float32", samples=SAMPLES)
    assert not list(tmp_path.iterdir())


def test_results_that_are_not_finite():
    metrics = {"max_difference": float("nan"), "tolerance": 1.0, "native": None}
    with pytest.raises(ExportError, match="must be finite"):
        text_encoder_parity.check(metrics, "dynamic_int8")
    native = {"max_difference": 3.0, "tolerance": 1.0}
    with pytest.raises(ExportError, match="difference"):
        text_encoder_parity.check({**native, "max_difference": 0.0, "native": native}, "float32")


def test_samples_may_be_texts():
    tokenizer, batch = make_tokenizer(), ["two dogs", "dogs " * 99]
    options = ExportOptions(
        tokenizer=tokenizer,
        samples=batch,
        quantization="static_int8",
        representative_data=batch[:1],
    )
    exporter = TextEncoderExporter(make_encoder(None), options)
    exporter.check()
    start, end = tokenizer.start_id, tokenizer.end_id
    short, long = tokenizer.encode(batch)
    assert exporter._data == [[start, *short, end]]
    assert exporter._samples == [[start, *short, end], [start, *long[:22], end]]


def test_random_samples():
    samples = TextEncoderExporter(make_encoder(None), ExportOptions()).random_samples()
    assert [len(sample) for sample in samples] == [1, 2, 3, 5, 8, 13, 21, 24]
    assert all(0 < i < len(PIECES) for sample in samples for i in sample)
