"""What `Translator` and `TextModel` have in common."""

import pytest
from flavours import one_flavour

from tfcompress.errors import InputError
from tfcompress.runtime import TextModel, Translator, open_bundle, open_engine

pytestmark = one_flavour


@pytest.fixture(params=["translation", "text_encoder"])
def model(request, bundle, encoder_bundles):
    """A class of models, a bundle for it, one for the other, and a call of text."""
    encoder = encoder_bundles["classification"]
    return {
        "translation": (Translator, bundle, encoder, Translator.translate),
        "text_encoder": (TextModel, encoder, bundle, TextModel.classify),
    }[request.param]


def test_the_runtime_can_be_chosen(model, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")
    cls, path, _, call = model
    with cls(path, native=False) as python:
        assert not python.is_native
        assert call(python, ["two dogs"]) is not None
    with pytest.raises(InputError, match="native runtime, which is not built"):
        cls(path, native=True)


def test_errors_are_alike(model, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")
    cls, path, other, call = model
    with pytest.raises(
        InputError, match=r"a whole number from 1 to 1,024. Received: num_threads=0"
    ):
        cls(path, num_threads=0)
    with pytest.raises(InputError, match=r"of a (text encoder|translation model), which .* runs"):
        cls(other)
    with cls(path, verify=False) as opened:
        with pytest.raises(InputError, match=r"`overlong` must be '.*' or '.*'\. Received: 'none'"):
            call(opened, ["two dogs"], overlong="none")
        with pytest.raises(
            InputError, match=r"fit the bundle's limit\. .* tokens .*limit=\d+\. Sho"
        ):
            call(opened, "dogs " * 99, overlong="error")
        with pytest.raises(InputError, match=r"s` must be a list of strings\. Received: bytes"):
            call(opened, b"two dogs")
        with pytest.raises(InputError, match=r"lone surrogate\. Received: '\\ud800' in the text"):
            call(opened, "\ud800")
        with pytest.raises(InputError, match=r"must be a string\. Received: int as .* 1"):
            call(opened, ["two dogs", 5])
    with pytest.raises(InputError, match="A closed model cannot run"):
        call(opened, "two dogs")


def test_progress(model):
    cls, path, _, call = model
    calls = []
    with cls(path, verify=False) as opened:
        call(opened, ["two dogs", "play", "dogs"], progress=lambda *done: calls.append(done))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_engines(model, monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")
    cls, path, _, _ = model
    bundle = open_bundle(path)
    assert type(bundle) is cls.bundle_class
    engine = open_engine(bundle)
    assert not engine.is_native
    engine.close()
