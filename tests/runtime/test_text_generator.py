"""Language models in the runtimes: scores, continuations, streams."""

import ctypes
import json

import numpy as np
import pytest
from flavours import one_flavour
from small_models import sentences

from tfcompress.errors import InputError
from tfcompress.generation_options import GenerationOptions
from tfcompress.runtime import SpecialIds, TextGenerator, Translator
from tfcompress.runtime.generation import SplitMix64, draw

pytestmark = one_flavour
PROMPTS = [[], [5], [9, 33, 7, 60], [*range(20, 40)]]
SETTINGS = [
    {},
    {"beam_size": 3, "n_best": 3, "length_penalty": 0.6},
    {"temperature": 0.9, "seed": 4},
    {"temperature": 1.4, "top_k": 5, "seed": 2**63},
]


@pytest.fixture(scope="module")
def generator(language_model_bundle):
    with TextGenerator(language_model_bundle, native=False) as model:
        yield model


def log_probabilities(model, row):
    logits = model.model(np.array([[1, *row[:-1]]])).numpy()[0].astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))[np.arange(len(row)), row]


def test_scores_are_the_model_s(language_model, generator, tokenizer):
    text = sentences(1)[0]
    (row,) = tokenizer.encode([text])
    score = generator.score(text)
    assert score.ids == [*row, 2]
    expected = log_probabilities(language_model, score.ids)
    np.testing.assert_allclose(score.log_probabilities, expected, atol=1e-4)
    assert score.perplexity == pytest.approx(np.exp(-expected.mean()), rel=1e-4)
    # Of the limit's rows each begins anew.
    (long,) = generator.score_ids([[*range(3, 60)]])
    parts = [log_probabilities(language_model, [*range(i, min(i + 24, 60))]) for i in (3, 27, 51)]
    np.testing.assert_allclose(long.log_probabilities, np.concatenate(parts), atol=1e-4)
    with pytest.raises(InputError, match="split"):
        generator.score("the red ball " * 20, overlong="error")


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_is_the_model_s_choice(language_model, generator, prompt):
    (found,) = generator.generate_ids([prompt], max_tokens=30, return_scores=True)
    row = [*prompt]
    while len(row) < 23:
        logits = language_model.model(np.array([[1, *row]])).numpy()[0, -1]
        logits[[0, 1]] = -np.inf
        if logits.argmax() == 2:
            break
        row.append(int(logits.argmax()))
    assert [*prompt, *found[0].ids] == row
    ended = [2] if len(row) < 23 else []
    total = log_probabilities(language_model, [*row, *ended])[len(prompt) :].sum()
    assert found[0].log_probability == pytest.approx(total, abs=1e-3)


def test_beams_are_as_probable_as_the_model_says(language_model, generator):
    (beams,) = generator.generate_ids([[5, 9]], max_tokens=6, beam_size=4, n_best=4)
    (greedy,) = generator.generate_ids([[5, 9]], max_tokens=6, beam_size=1, return_scores=True)
    for one in beams:
        total = log_probabilities(language_model, [5, 9, *one.ids, 2])[2:].sum()
        assert one.log_probability == pytest.approx(total, abs=1e-3)
    assert len({tuple(one.ids) for one in beams}) == 4
    assert greedy[0].log_probability <= 0


def test_draws_follow_the_probabilities():
    logits, special = np.array([9, 9, 0, 1, 2, 3], np.float32), SpecialIds(0, 1, 2)
    random = SplitMix64(1)
    options = GenerationOptions(temperature=2.0)
    drawn = [draw(logits, special, options, random.uniform()) for _ in range(4000)]
    powers = np.exp(np.arange(4) / 2)
    shares = np.bincount(drawn, minlength=6)[2:] / len(drawn)
    np.testing.assert_allclose(shares, powers / powers.sum(), atol=0.03)
    top = GenerationOptions(temperature=2.0, top_k=2)
    assert {draw(logits, special, top, u) for u in (0.0, 0.3, 0.7, 0.999999)} == {4, 5}
    # Steele and others' numbers for the seed 1234567.
    numbers = SplitMix64(1234567)
    assert [int(numbers.uniform() * 2**53) for _ in range(2)] == [
        6457827717110365317 >> 11,
        3203168211198807973 >> 11,
    ]


def test_streams_and_texts(generator):
    prompt = sentences(1)[0]
    for settings in ({}, {"temperature": 0.8, "seed": 3}):
        whole = generator.generate(prompt, max_tokens=8, **settings)
        pieces = [*generator.stream(prompt, max_tokens=8, **settings)]
        assert "".join(pieces) == whole
        assert len(pieces) > 1
    many = generator.generate([prompt, ""], max_tokens=4)
    assert many == [generator.generate(text, max_tokens=4) for text in (prompt, "")]
    spaced = generator.generate(prompt + " ", max_tokens=8)
    assert spaced == generator.generate(prompt, max_tokens=8).removeprefix(" ")
    stream = generator.stream(prompt)
    generator.score(prompt)
    with pytest.raises(InputError, match="A stream has the model to itself"):
        next(stream)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.generate_ids([[*range(3, 26)]]), "24"),
        (lambda m: m.generate_ids([[5, 2]]), "the end id"),
        (lambda m: m.generate_ids([[0, 5]]), "padding"),
        (lambda m: m.generate_ids([[500]]), "vocabulary"),
        (lambda m: m.score_ids([[]]), "must have ids"),
        (lambda m: m.score_ids([[1, 5]]), "the begin id"),
        (lambda m: m.generate("a", max_tokens=0), "max_tokens"),
        (lambda m: m.generate("a", temperature=-1), "temperature"),
        (lambda m: m.generate("a", temperature=True), "temperature"),
        (lambda m: m.generate("a", top_k=3), "`top_k` is for draws"),
        (lambda m: m.generate("a", seed=3), "`seed` is for draws"),
        (lambda m: m.generate("a", temperature=1, beam_size=2), "Beam search draws no tokens"),
        (lambda m: m.generate(3), "texts"),
    ],
)
def test_what_is_refused(generator, call, message):
    with pytest.raises(InputError, match=message):
        call(generator)


def test_other_bundles(language_model_bundle, bundle):
    with pytest.raises(InputError, match="TextGenerator"):
        Translator(language_model_bundle)
    with pytest.raises(InputError, match="Translator"):
        TextGenerator(bundle)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: "-".join(settings) or "greedy")
def test_native_gives_the_same(built, monkeypatch, language_model_bundle, generator, settings):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    options = {"max_tokens": 12, "return_scores": True, **settings}
    with TextGenerator(language_model_bundle) as native:
        assert native.is_native
        for ours, theirs in zip(
            native.generate_ids(PROMPTS, **options), generator.generate_ids(PROMPTS, **options)
        ):
            assert [one.ids for one in ours] == [one.ids for one in theirs]
            for one, other in zip(ours, theirs):
                assert one.log_probability == pytest.approx(other.log_probability, abs=1e-4)
        text = sentences(1)[0]
        expected = generator.score(text)
        np.testing.assert_allclose(
            native.score(text).log_probabilities, expected.log_probabilities, atol=1e-4
        )
        if "beam_size" not in settings:
            stream = native.stream(text, max_tokens=6, **settings)
            assert "".join(stream) == generator.generate(text, max_tokens=6, **settings)


class Generation(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("max_tokens", ctypes.c_int32),
        ("beam_size", ctypes.c_int32),
        ("n_best", ctypes.c_int32),
        ("top_k", ctypes.c_int32),
        ("length_penalty", ctypes.c_double),
        ("temperature", ctypes.c_double),
        ("seed", ctypes.c_uint64),
    ]


def test_c_interface(built, language_model_bundle, generator):
    """Streams pieces of text, scores texts, and refuses what is impossible."""
    library = ctypes.CDLL(str(built / "libtfcompress.so"))
    library.tfc_last_error.restype = ctypes.c_char_p
    handle = ctypes.c_void_p()
    opened = library.tfc_open_language_model(
        str(language_model_bundle).encode(), None, ctypes.byref(handle)
    )
    assert opened == 0, library.tfc_last_error()
    text, piece, pieces = sentences(1)[0].encode(), ctypes.c_char_p(), []
    settings = Generation(ctypes.sizeof(Generation), 8, 1, 1, 0, 1.0, 0.0, 0)
    begun = library.tfc_begin(handle, text, ctypes.c_size_t(len(text)), ctypes.byref(settings))
    assert begun == 0, library.tfc_last_error()
    while library.tfc_next(handle, ctypes.byref(piece)) == 0 and piece.value is not None:
        pieces.append(piece.value.decode())
    assert "".join(pieces) == generator.generate(text.decode(), max_tokens=8)
    scores, count = ctypes.POINTER(ctypes.c_float)(), ctypes.c_size_t()
    library.tfc_score(
        handle, text, ctypes.c_size_t(len(text)), ctypes.byref(scores), ctypes.byref(count)
    )
    np.testing.assert_allclose(
        scores[: count.value], generator.score(text.decode()).log_probabilities, atol=1e-4
    )
    assert library.tfc_next(handle, ctypes.byref(piece)) in (0, 1)
    settings.temperature = -1.0
    ids = (ctypes.c_int32 * 2)(5, 9)
    assert library.tfc_begin_ids(handle, ids, ctypes.c_size_t(2), ctypes.byref(settings)) == 1
    assert b"temperature" in library.tfc_last_error()
    translator = ctypes.c_void_p()
    assert (
        library.tfc_open(str(language_model_bundle).encode(), None, ctypes.byref(translator)) == 4
    )
    assert b"tfc_open_language_model" in library.tfc_last_error()
    library.tfc_free_language_model(handle)


def test_altered_manifests(language_model_bundle, tmp_path):
    manifest = json.loads((language_model_bundle / "manifest.json").read_text())
    for key, value in (("vocabulary", 0), ("limits", {}), ("state", [{"name": "ids"}])):
        folder = tmp_path / key
        folder.mkdir()
        for file in language_model_bundle.iterdir():
            (folder / file.name).symlink_to(file)
        (folder / "manifest.json").unlink()
        (folder / "manifest.json").write_text(json.dumps(manifest | {key: value}))
        with pytest.raises(InputError, match=key):
            TextGenerator(folder, native=False)
