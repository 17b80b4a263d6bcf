"""What outputs say, by the task of the head, in Python and in the native runtime."""

import json
import shutil

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from native_library import NativeError, NativeLibrary
from small_encoders import LABELS, make_encoder, make_tokenizer, model_outputs, texts

from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.runtime import TextModel, open_bundle
from tfcompress.runtime.text_model import sigmoid

pytestmark = one_flavour

BATCH = texts(12)
KINDS = (
    "classification",
    "multi_label_classification",
    "regression",
    "token_classification",
    "embedding",
)


@pytest.fixture(autouse=True)
def in_python(monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")


@pytest.fixture(scope="module")
def opened(encoder_bundles):
    models = {head: TextModel(encoder_bundles[head], native=False) for head in KINDS}
    yield models
    for model in models.values():
        model.close()


def expected(encoder, text):
    ids = [2, *make_tokenizer().encode([text])[0], 3]
    return model_outputs(encoder, ids)["logits"].astype(np.float64)


def test_several_classes_a_text(opened, encoders):
    model = opened["multi_label_classification"]
    counts = set()
    for text, one in zip(BATCH, model.classify(BATCH, threshold=0.3), strict=True):
        probabilities = 1 / (1 + np.exp(-expected(encoders["multi_label_classification"], text)))
        np.testing.assert_allclose(one.probabilities, probabilities, atol=1e-5)
        assert one.label == LABELS[probabilities.argmax()]
        assert one.probability == one.probabilities.max()
        assert one.labels == tuple(np.array(LABELS)[probabilities >= 0.3])
        counts.add(len(one.labels))
    assert len(counts) > 1
    assert model.classify(BATCH[0], threshold=1).labels == ()
    assert model.classify(BATCH[0], threshold=0).labels == LABELS
    (one,) = model.classify(BATCH[:1])
    assert one.labels == tuple(np.array(LABELS)[one.probabilities >= 0.5])


def test_one_class_a_text(opened):
    for one in opened["classification"].classify(BATCH):
        assert one.labels == (one.label,)
        assert one.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_scores(opened, encoders):
    model = opened["regression"]
    scores = [expected(encoders["regression"], text)[0] for text in BATCH]
    actual = model.score(BATCH)
    assert (actual.shape, actual.dtype) == ((12,), np.float32)
    np.testing.assert_allclose(actual, scores, atol=1e-4)
    assert np.ptp(actual) > 0.1
    single = model.score(BATCH[0])
    assert (single.shape, float(single)) == ((), actual[0])
    assert model.score([]).shape == (0,)


def test_several_scores(tmp_path):
    from tfcompress.models import HeadConfig

    encoder = make_encoder(None, head=HeadConfig("regression", labels=("joy", "fear")))
    convert(encoder, tmp_path / "b", tokenizer=make_tokenizer(), samples=[[2, 3]])
    with TextModel(tmp_path / "b") as model:
        assert model.labels == ("joy", "fear")
        assert (model.score(BATCH).shape, model.score(BATCH[0]).shape) == ((12, 2), (2,))


@pytest.mark.parametrize(
    ("head", "call", "message"),
    [
        ("regression", lambda m: m.classify(BATCH), "one for regression. Use score"),
        ("classification", lambda m: m.score(BATCH), "classification. Use classify"),
        ("multi_label_classification", lambda m: m.score(BATCH), "classification. Use classify"),
        ("embedding", lambda m: m.score(BATCH), "one for embedding. Use embed"),
        ("regression", lambda m: m.embed(BATCH), "one for regression. Use score"),
        (
            "classification",
            lambda m: m.classify(BATCH, threshold=0.5),
            "for several classes a text only",
        ),
        ("multi_label_classification", lambda m: m.classify(BATCH, threshold=1.1), "from 0 to 1"),
        ("multi_label_classification", lambda m: m.classify(BATCH, threshold="x"), "from 0 to 1"),
    ],
)
def test_other_heads(opened, head, call, message):
    with pytest.raises(InputError, match=message):
        call(opened[head])


def test_manifest(encoder_bundles):
    for head in KINDS:
        manifest = open_bundle(encoder_bundles[head]).manifest
        assert manifest["head"]["task"] == head
        classifies = head not in ("regression", "embedding")
        assert ("identical_classes" in manifest["parity"]) == classifies


def test_a_classification_of_one_class(encoder_bundles, tmp_path):
    """As older versions wrote them: every text had it for certain."""
    copy = shutil.copytree(encoder_bundles["regression"], tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["head"]["task"] = "classification"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"`head\.task` cannot be 'classification'\. Export"):
        TextModel(copy)


@given(arrays.arrays(np.float32, 4, elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_any_logits(logits):
    with np.errstate(all="raise", under="ignore"):
        actual = sigmoid(logits)
    assert actual.dtype == np.float32
    clipped = np.clip(logits.astype(np.float64), -700, 700)
    np.testing.assert_allclose(actual, 1 / (1 + np.exp(-clipped)), atol=1e-6)


@pytest.fixture(scope="module")
def library(built):
    return NativeLibrary(built / "libtfcompress.so")


@pytest.mark.parametrize("head", ["classification", "multi_label_classification"])
def test_native_probabilities(library, opened, encoder_bundles, head):
    handle = library.open_encoder(encoder_bundles[head])
    assert library.describe_encoder(handle).head == head.encode()
    for text, one in zip(BATCH, opened[head].classify(BATCH)):
        actual = library.probabilities(handle, library.encode(handle, text)[1]["logits"])
        np.testing.assert_allclose(actual[0], one.probabilities, atol=1e-6)
    extremes = library.probabilities(handle, np.array([[1e30, -1e30, 0]], np.float32))
    exact = [[1, 0, 0]] if head == "classification" else [[1, 0, 0.5]]
    np.testing.assert_array_equal(extremes, exact)
    library.free_encoder(handle)


def test_native_probabilities_of_tokens(library, opened, encoder_bundles):
    handle = library.open_encoder(encoder_bundles["token_classification"])
    actual = library.probabilities(handle, library.encode(handle, BATCH[0])[1]["logits"])
    tags = opened["token_classification"].tag(BATCH[0])
    np.testing.assert_allclose(
        actual[1:-1].max(axis=1), [tag.probability for tag in tags], atol=1e-6
    )
    library.free_encoder(handle)


def test_native_scores(library, opened, encoder_bundles):
    handle = library.open_encoder(encoder_bundles["regression"])
    for text, score in zip(BATCH, opened["regression"].score(BATCH)):
        logits = library.encode(handle, text)[1]["logits"]
        np.testing.assert_array_equal(logits, [[score]])
    with pytest.raises(
        NativeError, match=r"need a head with classes. Received: a head for regression"
    ):
        library.probabilities(handle, logits)
    library.free_encoder(handle)
    files = {p.name: p.read_bytes() for p in encoder_bundles["regression"].iterdir()}
    manifest = files["manifest.json"].replace(b'"task": "regression"', b'"task": "classification"')
    with pytest.raises(NativeError, match=r"`head\.task` must be a head that gives the model's"):
        library.open_encoder_memory(files | {"manifest.json": manifest})
