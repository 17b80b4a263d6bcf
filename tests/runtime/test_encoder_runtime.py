"""Text encoders in Python: texts in; classes, tags and vectors out."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from small_encoders import LABELS, MAX_LENGTH, PIECES, make_tokenizer, model_outputs, texts

from tfcompress.errors import InputError
from tfcompress.runtime import TextModel, Translator, open_bundle
from tfcompress.runtime.benchmark import main as benchmark
from tfcompress.runtime.text_model import softmax

pytestmark = one_flavour

HEAD_NAMES = ["classification", "token_classification", "embedding", None]


@pytest.fixture(autouse=True)
def in_python(monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")


@pytest.fixture(scope="module")
def open_models(encoder_bundles):
    models = {head: TextModel(path, native=False) for head, path in encoder_bundles.items()}
    yield models
    for model in models.values():
        model.close()


def encoded(text):
    return [2, *make_tokenizer().encode([text])[0], 3]


def test_classes(open_models, encoders):
    batch = texts(12)
    actual = open_models["classification"].classify(batch)
    assert np.ptp([one.probability for one in actual]) > 0.01
    for text, one in zip(batch, actual, strict=True):
        logits = model_outputs(encoders["classification"], encoded(text))["logits"]
        np.testing.assert_allclose(one.probabilities, softmax(logits), atol=1e-5)
        assert one.label == LABELS[logits.argmax()]
        assert one.probability == one.probabilities.max()
    assert open_models["classification"].classify(batch[0]).label == actual[0].label
    assert open_models["classification"].classify([]) == []


def test_tags(open_models, encoders):
    (tags,) = open_models["token_classification"].tag(["dogs playing."])
    ids = encoded("dogs playing.")
    logits = model_outputs(encoders["token_classification"], ids)["logits"][1:-1]
    assert [tag.label for tag in tags] == logits.argmax(axis=1).tolist()
    assert [tag.piece for tag in tags] == [make_tokenizer().decode([[i]])[0] for i in ids[1:-1]]
    np.testing.assert_allclose([tag.probability for tag in tags], softmax(logits).max(1), atol=1e-5)


def test_vectors(open_models, encoders):
    batch = [*texts(5), ""]
    vectors = open_models["embedding"].embed(batch)
    assert vectors.shape == (6, 32)
    assert vectors.dtype == np.float32
    expected = [model_outputs(encoders["embedding"], encoded(t))["embedding"] for t in batch]
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert open_models["embedding"].embed(batch[0]).shape == (32,)
    assert open_models["embedding"].embed([]).shape == (0, 32)


IDS = st.lists(st.integers(1, len(PIECES) - 1), min_size=1, max_size=MAX_LENGTH)


@given(st.lists(IDS, max_size=3))
@settings(max_examples=8)
@pytest.mark.parametrize("head", HEAD_NAMES)
def test_any_ids(open_models, encoders, head, batch):
    """In batches of all lengths, whatever their order, each gives what it gives alone."""
    model = open_models[head]
    types = [[int(i > 3) for i in range(len(row))] for row in batch]
    actual = model.run(batch, token_type_ids=types)
    again = model.run(batch[::-1], token_type_ids=types[::-1])[::-1]
    for row, kinds, one, other in zip(batch, types, actual, again, strict=True):
        for name, value in model_outputs(encoders[head], row, kinds).items():
            np.testing.assert_allclose(one[name], value, atol=1e-4)
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name])


@pytest.mark.parametrize("count", [1, 3, 20])
@pytest.mark.parametrize("head", HEAD_NAMES)
def test_padding_changes_nothing(open_models, encoders, head, count):
    rows = [[2, 7, 9, 3], [2, 3], [2, *[6] * (MAX_LENGTH - 2), 3]]
    padded = [row + [0] * count for row in rows]
    types = [[0, *[1] * (len(row) - 1)] for row in padded]
    expected = open_models[head].run(rows)
    for actual in (
        open_models[head].run(padded),
        open_models[head].run(map(np.array, padded)),
        open_models[head].run(padded, token_type_ids=[[0] * len(row) for row in padded]),
    ):
        for one, other in zip(actual, expected, strict=True):
            for name, value in other.items():
                np.testing.assert_array_equal(one[name], value)
    (typed,) = open_models[head].run(padded[:1], token_type_ids=types[:1])
    for name, value in model_outputs(encoders[head], padded[0], types[0]).items():
        per_token = open_models[head].bundle.outputs[name].per_token
        np.testing.assert_allclose(typed[name], value[:4] if per_token else value, atol=1e-4)


@pytest.mark.parametrize("blank", ["", " ", "\u3000\t", "\u200b", "\ufeff"])
def test_blank_texts_have_results_too(open_models, blank):
    model = open_models["classification"]
    ids = model.tokenize([blank])
    assert (ids[0][0], ids[0][-1]) == (2, 3)
    (expected,) = model.run(ids)
    np.testing.assert_array_equal(model.classify(blank).probabilities, softmax(expected["logits"]))
    assert len(open_models["token_classification"].tag(blank)) == len(ids[0]) - 2


def test_a_text_may_name_padding(open_models):
    """It stands for what the vocabulary says, as in the published model."""
    (ids,) = open_models["classification"].tokenize(["dogs [PAD] play"])
    assert len(open_models["classification"].classify(["dogs [PAD] play"])) == 1
    assert 0 not in ids or ids.index(0) < len(ids) - 1


@given(st.text(max_size=30))
@settings(max_examples=50)
def test_any_text(open_models, text):
    model = open_models[None]
    actual = model.encode(text, overlong="cut")
    ids = encoded(text)
    if len(ids) > MAX_LENGTH:
        ids = [*ids[: MAX_LENGTH - 1], 3]
    np.testing.assert_array_equal(actual["hidden"], model.run([ids])[0]["hidden"])


def test_overlong_texts(open_models):
    model, text = open_models["classification"], "dogs " * MAX_LENGTH
    with pytest.raises(InputError, match=rf"{MAX_LENGTH + 2} tokens .*in text 0, limit=24\. Short"):
        model.classify([text])
    cut = model.classify([text], overlong="cut")[0]
    fits = model.classify(["dogs " * (MAX_LENGTH - 2)])[0]
    np.testing.assert_array_equal(cut.probabilities, fits.probabilities)


@pytest.mark.parametrize(
    ("head", "call", "message"),
    [
        ("classification", lambda m: m.embed(["a"]), "one for classification. Use classify"),
        ("embedding", lambda m: m.classify(["a"]), "one for embedding. Use embed"),
        ("token_classification", lambda m: m.embed(["a"]), "one for token_classification. Use tag"),
        (None, lambda m: m.tag(["a"]), "with none. Use encode"),
        (None, lambda m: m.encode([5]), "string. Received: int as text 0"),
        (None, lambda m: m.encode(7), "`texts` must be a list of strings. Received: int"),
        (None, lambda m: m.encode(["a", "\ud800"]), "lone surrogate. Received: .* in text 1"),
        (
            None,
            lambda m: m.encode(["a"], overlong="split"),
            "`overlong` must be 'error' or .*'split'",
        ),
        (None, lambda m: m.run([[]]), "A text needs ids. Received: none in text 0"),
        (None, lambda m: m.run([[1], [99]]), "Received: 99 to 99 in text 1"),
        (None, lambda m: m.run([[-1]]), "Received: -1 to -1 in text 0"),
        (None, lambda m: m.run([[4] * 25]), "25 tokens .*in text 0, limit=24. Shorten it"),
        (None, lambda m: m.run([["a"]]), "must be a list of whole numbers.* as text 0"),
        (None, lambda m: m.run([[2, 7.0, 3]]), "must be a list of whole numbers.* as text 0"),
        (None, lambda m: m.run([[2, True, 3]]), "must be a list of whole numbers.* as text 0"),
        (None, lambda m: m.run([[2, 2**70]]), "must be a list of whole numbers.* as text 0"),
        (None, lambda m: m.run([[2, 2**32]]), "Received: 2 to 4294967296 in text 0"),
        (None, lambda m: m.run([[2, 3], [2, 0, 3]]), r"padding \(0\) at place 1 of text 1"),
        (None, lambda m: m.run([[0, 2, 3]]), r"padding \(0\) at place 0 of text 0"),
        (None, lambda m: m.run([[0, 0]]), "A text needs ids. Received: none in text 0"),
        (None, lambda m: m.run([[4]], token_type_ids=[[True]]), "a list .* as token_type_ids 0"),
        (None, lambda m: m.run([[[1], [1, 2]]]), "must be a list of whole numbers.* as text 0"),
        (None, lambda m: m.run([[4]], token_type_ids=[[2]]), "must be from 0 .*: 2 to 2 in text 0"),
        (None, lambda m: m.run([[4]], token_type_ids=[[0, 0]]), "Every id must have a token type"),
    ],
)
def test_one_clear_error(open_models, head, call, message):
    with pytest.raises(InputError, match=message):
        call(open_models[head])


def test_without_a_tokenizer(int8_encoder_bundle):
    with TextModel(int8_encoder_bundle) as model:
        assert model.run([[2, 5, 3]])[0]["logits"].shape == (3,)
        with pytest.raises(InputError, match=r"Texts need a bundle with a tokenizer.*Use run"):
            model.classify(["two dogs"])
    with pytest.raises(InputError, match="A closed model cannot run"):
        model.run([[2, 3]])


@pytest.mark.parametrize("threads", [0, True, "1", 1025])
def test_impossible_threads(int8_encoder_bundle, threads):
    with pytest.raises(InputError, match="num_threads="):
        TextModel(int8_encoder_bundle, num_threads=threads)


def test_native_where_there_is_none(int8_encoder_bundle):
    with pytest.raises(InputError, match="native runtime, which is not built"):
        TextModel(int8_encoder_bundle, native=True)


def test_bundles_of_the_other_type(int8_encoder_bundle, plain_bundle):
    with pytest.raises(InputError, match="of a text encoder, which TextModel runs"):
        Translator(int8_encoder_bundle)
    with pytest.raises(InputError, match="of a translation model, which Translator runs"):
        TextModel(plain_bundle)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["format"], 1, "format=1 instead of 3"),
        (["limits", "max_length"], 0, "`limits.max_length` cannot be 0"),
        (["vocabulary"], "9", "`vocabulary` cannot be '9'"),
        (["token_types"], -1, "`token_types` cannot be -1"),
        (["ids", "pad"], -1, "`ids.pad` cannot be -1"),
        (["ids", "pad"], None, "`ids.pad` cannot be None"),
        (["outputs"], {}, "`outputs` cannot be {}"),
        (["outputs", "logits", "width"], 0, "`outputs.logits.width` cannot be 0"),
        (["outputs", "logits", "per_token"], 1, "`outputs.logits.per_token` cannot be 1"),
        (["outputs", "logits", "per_token"], True, "`head.task` cannot be 'classification'"),
        (["head"], 3, "`head` cannot be 3"),
        (["head", "task"], "answers", "`head.task` cannot be 'answers'"),
        (["head", "labels"], ["a"], r"`head.labels` cannot be \['a'\]"),
        (
            ["tokenizer", "tokenizer_type"],
            "letters",
            "`tokenizer.tokenizer_type` cannot be 'letters'",
        ),
        (["tokenizer", "start_id"], 10**6, "tokenizer cannot be used"),
        (["tokenizer"], {"tokenizer_type": "wordpiece"}, "tokenizer cannot be used"),
        (["tokenizer"], {"tokenizer_type": "byte_pair"}, "without `files.vocabulary.json`"),
        (["custom_ops"], ["X"], "unavailable.* with X"),
        (["files"], {}, "`files` cannot be {}"),
        (["files", "vocabulary.txt"], ..., "without `files.vocabulary.txt`"),
        (["outputs", "logits", "width"], 4, "manifest"),
        (["outputs"], {"logits": {"width": 3, "per_token": False}, "x": {}}, "outputs.x.width"),
        (["vocabulary"], 5, "more pieces than the model"),
    ],
)
def test_manifests_that_lie(encoder_bundles, tmp_path, keys, value, message):
    copy = shutil.copytree(encoder_bundles["classification"], tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    inner = manifest
    for key in keys[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    (copy / "manifest.json").write_text(json.dumps(manifest))
    if keys == ["outputs", "logits", "width"] and value == 4:
        manifest["head"]["labels"] = []
        (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=message) as error, TextModel(copy) as model:
        model.run([[2, 3]])
    assert "\n" not in str(error.value)


def test_altered_files(encoder_bundles, tmp_path):
    copy = shutil.copytree(encoder_bundles["classification"], tmp_path / "copy")
    for name in ("model.tflite", "vocabulary.txt"):
        content = (copy / name).read_bytes()
        for damage in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b""):
            (copy / name).write_bytes(damage)
            with pytest.raises(InputError, match="truncated or altered"):
                open_bundle(copy)
        (copy / name).unlink()
        with pytest.raises(InputError, match="A file of the bundle is missing"):
            open_bundle(copy, verify=False)
        (copy / name).write_bytes(content)
    assert open_bundle(copy).head == "classification"


CODE = """
import os, sys
from tfcompress.runtime import TextModel

with TextModel(sys.argv[1]) as model:
    assert model.classify("two dogs play.").label in ("bad", "good", "neither")
heavy = {"tensorflow", "keras", "tf_keras", "tensorflow_text", "tfcompress.layers"}
print(sorted(heavy & {*sys.modules}), file=sys.stdout, flush=True)
os._exit(0)
"""


def test_a_class_needs_no_tensorflow_and_says_nothing(encoder_bundles):
    command = [sys.executable, "-c", CODE, str(encoder_bundles["classification"])]
    output = subprocess.run(command, capture_output=True, text=True)
    assert (output.returncode, output.stdout, output.stderr) == (0, "[]\n", "")


def test_the_benchmark(encoder_bundles, tmp_path, capsys):
    batch = [*texts(4), "", "dogs " * 99]
    (tmp_path / "texts").write_text("\n".join(batch))
    path = encoder_bundles["classification"]
    arguments = [str(path), str(tmp_path / "texts"), "--warmup", "0", "--runs", "2"]
    assert benchmark(arguments) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert {*metrics} == {
        "bundle", "device", "runtime", "threads", "texts", "overlong", "tokens", "init_ms",
        "first_text_ms", "latency_ms", "tokens_per_s", "length_ms", "peak_rss_bytes",
        "bundle_bytes", "load_average", "processors",
    }  # fmt: skip
    assert (metrics["texts"], metrics["overlong"]) == (5, [6])
    lengths = [min(len(encoded(text)), MAX_LENGTH) for text in batch if text]
    assert metrics["tokens"] == sum(lengths)
    assert {*metrics["length_ms"]} == {"8"}
    assert metrics["latency_ms"]["p50"] > 0
    assert metrics["bundle_bytes"] == sum(file.stat().st_size for file in path.iterdir())
    assert benchmark([*arguments, "--beam-size", "2"]) == 2
    assert "has no beam" in capsys.readouterr().err
