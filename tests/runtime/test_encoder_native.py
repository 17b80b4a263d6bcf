"""Text encoders in the native runtime: as in Python, and given what is not whole."""

import json
import shutil
import subprocess
import threading

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from native_library import LITERT, NativeError, NativeLibrary
from small_encoders import LABELS, MAX_LENGTH, PIECES, make_tokenizer, texts

from tfcompress.custom_ops.names import ENCODER_LAYER
from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.runtime import TextModel

pytestmark = one_flavour

BAD_BUNDLE, NOT_FOUND, INVALID, UNSUPPORTED = 3, 2, 1, 4
IDS = st.lists(st.integers(1, len(PIECES) - 1), min_size=1, max_size=MAX_LENGTH)


@pytest.fixture(scope="module")
def library(built):
    return NativeLibrary(built / "libtfcompress.so")


@pytest.fixture(autouse=True)
def native(built, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))


@pytest.fixture(scope="module")
def handle(library, encoder_bundles):
    handle = library.open_encoder(encoder_bundles["classification"])
    yield handle
    library.free_encoder(handle)


@pytest.fixture(scope="module")
def both(built, encoder_bundles, int8_encoder_bundle):
    """Each bundle in the native runtime and in Python."""
    paths = {**encoder_bundles, "int8": int8_encoder_bundle}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
        models = {
            name: (TextModel(path), TextModel(path, native=False)) for name, path in paths.items()
        }
    yield models
    for pair in models.values():
        for model in pair:
            model.close()


@pytest.mark.parametrize("name", ["classification", "token_classification", "embedding", "int8"])
@given(st.lists(st.tuples(IDS, st.integers(0, 1)), max_size=4))
@settings(max_examples=20)
def test_computes_as_python_does(both, name, batch):
    native, python = both[name]
    assert native.is_native
    assert not python.is_native
    rows = [ids for ids, _ in batch]
    types = [[kind] * len(ids) for ids, kind in batch]
    actual = native.run(rows, token_type_ids=types)
    for one, other in zip(actual, python.run(rows, token_type_ids=types), strict=True):
        assert {*one} == {*other}
        for result in one:
            np.testing.assert_array_equal(one[result], other[result])


@pytest.mark.parametrize("name", ["classification", "token_classification", "embedding", "int8"])
@pytest.mark.parametrize("count", [1, 3, 20])
def test_padding_changes_nothing(library, both, name, count):
    native, _ = both[name]
    rows = [[2, 7, 9, 3], [2, 3]]
    expected = native.run(rows)
    handle = library.open_encoder(native.bundle.path)
    for row, one, other in zip(rows, native.run([r + [0] * count for r in rows]), expected):
        padded = row + [0] * count
        ids, plain = library.encode_ids(handle, padded)
        _, typed = library.encode_ids(handle, padded, [0] * len(padded))
        assert ids == row
        for result, value in other.items():
            np.testing.assert_array_equal(one[result], value)
            np.testing.assert_array_equal(plain[result].reshape(value.shape), value)
            np.testing.assert_array_equal(typed[result].reshape(value.shape), value)
    library.free_encoder(handle)


@pytest.mark.parametrize("text", ["", "\u3000", "\u200b\ufeff", "dogs [PAD] play"])
def test_odd_texts_as_in_python(both, text):
    for name in ("classification", "token_classification"):
        (native, python) = both[name]
        np.testing.assert_array_equal(native.encode(text)["logits"], python.encode(text)["logits"])


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_any_text_as_in_python(both, text):
    native, python = both["embedding"]
    assert native.tokenize([text]) == python.tokenize([text])
    np.testing.assert_array_equal(
        native.embed(text, overlong="cut"), python.embed(text, overlong="cut")
    )


def test_classes_and_tags_as_in_python(both):
    batch = texts(8)
    native, python = both["classification"]
    assert [one.label for one in native.classify(batch)] == [
        one.label for one in python.classify(batch)
    ]
    native, python = both["token_classification"]
    assert native.tag(batch) == python.tag(batch)


def test_text_in_results_out(library, handle, both):
    python = both["classification"][1]
    for text in [*texts(5), "", "Zwei Hunde! \u4e16"]:
        ids, results = library.encode(handle, text)
        assert ids == python.tokenize([text])[0] == library.encoder_tokenize(handle, text)
        np.testing.assert_array_equal(results["logits"][0], python.encode(text)["logits"])
    ids, _ = library.encode(handle, "dogs " * 99, cut=1)
    assert ids == [2, *make_tokenizer().encode(["dogs"])[0] * (MAX_LENGTH - 2), 3]
    assert len(library.encoder_tokenize(handle, "dogs " * 99)) == 101
    labels = [library.c.tfc_encoder_label(handle, number) for number in range(4)]
    assert labels == [*(label.encode() for label in LABELS), None]


def test_a_bundle_in_memory(library, handle, encoder_bundles):
    files = {p.name: p.read_bytes() for p in encoder_bundles["classification"].iterdir()}
    copy = library.open_encoder_memory(files)
    expected = library.encode(handle, "two dogs")[1]["logits"]
    np.testing.assert_array_equal(library.encode(copy, "two dogs")[1]["logits"], expected)
    info = library.describe_encoder(copy)
    assert (info.head, info.num_labels, info.token_types) == (b"classification", 3, 2)
    assert (info.vocabulary, info.max_length) == (len(PIECES), MAX_LENGTH)
    assert info.bundle_bytes == sum(map(len, files.values()))
    library.free_encoder(copy)


def test_handles_of_several_threads(library, encoder_bundles):
    expected, actual = {}, {}

    def work(number, results):
        handle = library.open_encoder(encoder_bundles["embedding"])
        results[number] = [
            library.encode(handle, one)[1]["embedding"].tolist() for one in texts(9, seed=number)
        ]
        library.free_encoder(handle)

    for number in range(4):
        work(number, expected)
    threads = [threading.Thread(target=work, args=(number, actual)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert actual == expected


@pytest.mark.parametrize(
    ("call", "status", "message"),
    [
        (lambda c, h: c.encode(h, b"a\xff"), INVALID, "A text must be UTF-8. Received: byte 1"),
        (
            lambda c, h: c.encode(h, "dogs " * 99),
            INVALID,
            "limit. Received: 101 tokens with begin and end",
        ),
        (lambda c, h: c.encode(None, "a"), INVALID, "`encoder`, `text` and `encoding` must"),
        (lambda c, h: c.encode_ids(h, [4, 999]), INVALID, "Ids of the vocabulary must .*: 999"),
        (lambda c, h: c.encode_ids(h, [-1]), INVALID, "Ids of the vocabulary must .*: -1"),
        (lambda c, h: c.encode_ids(h, [4] * 99), INVALID, "99 tokens with begin and end"),
        (lambda c, h: c.encode_ids(h, []), INVALID, "A text needs ids"),
        (lambda c, h: c.encode_ids(h, [0, 0]), INVALID, "A text needs ids"),
        (lambda c, h: c.encode_ids(h, [2, 0, 3]), INVALID, r"padding \(0\) at place 1"),
        (lambda c, h: c.encode_ids(h, [0, 3, 0]), INVALID, r"padding \(0\) at place 0"),
        (lambda c, h: c.encode_ids(h, [4], [2]), INVALID, "Token types must .*: 2"),
        (
            lambda c, h: c.open_encoder("nowhere"),
            NOT_FOUND,
            "read. Received: nowhere/manifest.json",
        ),
        (lambda c, h: c.open_encoder_memory({}), NOT_FOUND, "is missing. Received: manifest.json"),
        (lambda c, h: c.open_encoder("nowhere", num_threads=0), INVALID, "`num_threads` must be"),
    ],
)
def test_one_clear_error(library, handle, call, status, message):
    with pytest.raises(NativeError, match=message) as error:
        call(library, handle)
    assert error.value.status == status
    assert "\n" not in str(error.value)


def test_bundles_of_the_other_type(library, plain_bundle, int8_encoder_bundle):
    with pytest.raises(NativeError, match="of a translation model, which tfc_open opens"):
        library.open_encoder(plain_bundle)
    with pytest.raises(NativeError, match="of a text encoder, which tfc_open_encoder opens"):
        library.open(int8_encoder_bundle)


def test_without_a_tokenizer(library, int8_encoder_bundle):
    handle = library.open_encoder(int8_encoder_bundle)
    with pytest.raises(NativeError, match="Texts need a bundle with a tokenizer"):
        library.encode(handle, "two dogs")
    assert library.encode_ids(handle, [2, 3])[1]["logits"].shape == (1, 3)
    library.free_encoder(handle)


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (lambda m: m.update(format=99), UNSUPPORTED, "another version.*format=99 instead of"),
        (lambda m: m.update(custom_ops=["X"]), UNSUPPORTED, "unavailable.* with X"),
        (lambda m: m.pop("limits"), BAD_BUNDLE, "lacks a value.*`limits.max_length`"),
        (lambda m: m.update(vocabulary=0), BAD_BUNDLE, "`vocabulary` must be from 1 to"),
        (lambda m: m.update(vocabulary=5), BAD_BUNDLE, "more pieces than the model.* and 5"),
        (lambda m: m["ids"].update(pad=10**6), BAD_BUNDLE, "`ids.pad` must be from 0 to"),
        (lambda m: m.update(token_types=-1), BAD_BUNDLE, "`token_types` must be from 0 to"),
        (lambda m: m.update(token_types=0), BAD_BUNDLE, "unlike its manifest"),
        (lambda m: m.update(outputs={}), BAD_BUNDLE, "`outputs` must be from 1 to 100 results"),
        (lambda m: m["outputs"]["logits"].update(width=0), BAD_BUNDLE, "`outputs.logits.width`"),
        (lambda m: m["outputs"].update(x={"width": 1, "per_token": True}), BAD_BUNDLE, "tensors"),
        (lambda m: m["outputs"]["logits"].update(per_token=True), BAD_BUNDLE, "`head.task` must"),
        (lambda m: m["head"].update(task="x"), BAD_BUNDLE, "`head.task` must be a head that"),
        (lambda m: m["head"].update(labels=["a"]), BAD_BUNDLE, "`head.labels` must be as many"),
        (
            lambda m: m["tokenizer"].update(tokenizer_type="x"),
            BAD_BUNDLE,
            "tokenizer cannot be used",
        ),
        (lambda m: m["tokenizer"].pop("start_id"), BAD_BUNDLE, "start_id is missing"),
        (lambda m: m["files"].pop("vocabulary.txt"), BAD_BUNDLE, "tokenizer's vocabulary.txt"),
        (lambda m: m["files"]["model.tflite"].update(bytes=7), BAD_BUNDLE, "instead of 7"),
        (lambda m: m["files"]["model.tflite"].update(sha256=""), BAD_BUNDLE, "SHA-256 differs"),
    ],
)
def test_manifests_that_lie(library, encoder_bundles, change, status, message):
    files = {p.name: p.read_bytes() for p in encoder_bundles["classification"].iterdir()}
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    with pytest.raises(NativeError, match=message) as error:
        library.open_encoder_memory(files | {"manifest.json": json.dumps(manifest).encode()})
    assert error.value.status == status
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["float32", "dynamic_int8", "int4"])
def test_custom_operations(encoders, tmp_path, quantization):
    """Whole layers as custom operations compute what builtin ones do."""
    options = {"quantization": quantization, "samples": [[2, 5, 6, 3], [2, 3]]}
    encoder = encoders["embedding"]
    manifest = convert(encoder, tmp_path / "custom", custom_ops=[ENCODER_LAYER], **options)
    assert manifest["custom_ops"] == [ENCODER_LAYER]
    convert(encoder, tmp_path / "plain", **options)
    rows = [[2, 5, 9, 4, 3], [2, 8, 3], [2, 3]]
    with TextModel(tmp_path / "custom") as actual, TextModel(tmp_path / "plain") as expected:
        for one, other in zip(actual.run(rows), expected.run(rows), strict=True):
            # Integer kernels differ in how they round activations.
            tolerance = 1e-5 if quantization == "float32" else 0.1
            np.testing.assert_allclose(one["embedding"], other["embedding"], atol=tolerance)
    with pytest.raises(InputError, match=r"unavailable.*tfc\.EncoderLayer"):
        TextModel(tmp_path / "custom", native=False)


def test_the_benchmark_program(built, encoder_bundles, tmp_path):
    batch = [*texts(6), "dogs " * 99]
    path = encoder_bundles["embedding"]
    (tmp_path / "texts").write_text("\n".join([*batch, ""]), encoding="utf-8")
    command = [built / "tfcompress-benchmark", path, "--input", tmp_path / "texts", "--profile"]
    command += ["--warmup", "1", "--runs", "2", "--library", LITERT]
    command += ["--results", tmp_path / "results"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    lines = (tmp_path / "results").read_text().splitlines()
    with TextModel(path) as model:
        expected = model.embed(batch, overlong="cut")
    np.testing.assert_array_equal(np.array([r.split() for r in lines], np.float32), expected)
    metrics = json.loads(done.stdout)
    assert (metrics["texts"], metrics["overlong"]) == (7, [7])
    lengths = [len(row) + 2 for row in make_tokenizer().encode(batch)]
    assert metrics["tokens"] == sum(min(length, MAX_LENGTH) for length in lengths)
    assert {*metrics["length_ms"]} == {"8"}
    assert metrics["latency_ms"]["p99"] >= metrics["latency_ms"]["p50"] > 0
    assert metrics["bundle_bytes"] == sum(file.stat().st_size for file in path.iterdir())
    assert metrics["peak_rss_bytes"] >= max(metrics["rss_bytes_after_passes"]) > 0
    calls = {one["operation"]: one["calls"] for one in metrics["operations"]["encode"]}
    assert calls["EMBEDDING_LOOKUP"] == 3 * 7
    done = subprocess.run([*map(str, command), "--beam", "2"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "A text encoder has no --beam" in done.stderr


def test_a_damaged_copy(encoder_bundles, tmp_path):
    copy = shutil.copytree(encoder_bundles["classification"], tmp_path / "copy")
    data = (copy / "model.tflite").read_bytes()
    (copy / "model.tflite").write_bytes(data[: len(data) // 2])
    for verify in (True, False):
        with pytest.raises(InputError, match="is truncated or altered"):
            TextModel(copy, verify=verify)
