"""Batches of sentences: whatever stands together, each gets what it gets alone, bit for bit."""

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from native_library import NativeError, NativeLibrary
from small_models import TEXT, make_transformer, sentences

from tfcompress import models
from tfcompress.custom_ops import names
from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.runtime import PivotTranslator, Translator
from tfcompress.text import Shortlist

pytestmark = one_flavour

SAMPLES = [[5, 6, 2]]
WORDS = [*TEXT.split()[:9], ".", "\n", "dogs" * 9, "  "]
INVALID = 1


def shortlist(size):
    """A few tokens for all sentences, and some of its own for each source id."""
    own = np.random.default_rng(0).integers(4, size, 6 * size).astype(np.int32)
    offsets = np.arange(0, 6 * size + 1, 6, dtype=np.int32)
    rows = [np.unique(own[begin : begin + 6]) for begin in offsets[:-1]]
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    return Shortlist(np.array([2, 5, 9], np.int32), offsets, np.concatenate(rows), size)


@pytest.fixture(scope="module")
def translators(built, bundle, transformer, tokenizer, tmp_path_factory):
    """Of whole decoders and of layers, in either runtime."""
    folder = tmp_path_factory.mktemp("batches")
    both = {"source_tokenizer": tokenizer, "target_tokenizer": tokenizer}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
        some = {"samples": SAMPLES, "shortlist": shortlist(120), **both}
        for name, operations in {"ragged": names.ALL, "aligned": [names.TOP_LOGITS]}.items():
            convert(
                transformer,
                folder / name,
                custom_ops=operations,
                alignments=name == "aligned",
                **some,
            )
        opened = {name: Translator(folder / name) for name in ("ragged", "aligned")}
        opened["builtin"] = Translator(bundle, native=True)
        opened["python"] = Translator(bundle, native=False)
    assert opened["ragged"].bundle.is_ragged
    assert not opened["aligned"].bundle.is_ragged
    yield opened
    for translator in opened.values():
        translator.close()


def known(hypotheses):
    """All that hypotheses say, floats by their bits."""
    return [
        (
            *(one.text, one.ids, one.score.hex(), one.log_probability.hex(), one.parts),
            *(one.token_ids, [score.hex() for score in one.token_scores]),
            [part.tobytes() for part in one.part_alignments or ()],
        )
        for one in hypotheses
    ]


some_texts = st.lists(
    st.one_of(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.just("")),
    min_size=1,
    max_size=12,
)
some_options = st.fixed_dictionaries(
    {},
    optional={
        "beam_size": st.sampled_from([2, 3]),
        "target_prefix": st.sampled_from(["", "dogs", "two dogs"]),
        "banned_words": st.sampled_from([(), ("two",), ("dogs", "the man")]),
        "max_length": st.sampled_from([6, 30]),
        "length_penalty": st.sampled_from([0.0, 0.6]),
        "split_sentences": st.booleans(),
    },
)


@pytest.mark.parametrize("name", ["ragged", "aligned", "builtin", "python"])
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(some_texts, some_options, st.sampled_from([2, 3, 5, 64]), st.booleans())
def test_texts_get_what_they_get_alone(translators, name, texts, options, batch_size, scores):
    translator = translators[name]
    options = {**options, "return_scores": scores, "n_best": options.get("beam_size", 1)}
    try:
        expected = [translator.translate(text, **options) for text in texts]
    except InputError:  # The prefix is banned, or leaves no room.
        with pytest.raises(InputError):
            translator.translate(texts, batch_size=batch_size, **options)
        return
    actual = translator.translate(texts, batch_size=batch_size, **options)
    if scores or options["n_best"] > 1:
        expected, actual = [*map(known, expected)], [*map(known, actual)]
    assert actual == expected


def test_long_and_short_ones_take_turns(translators):
    """More sentences than places, which end at different steps."""
    rng = np.random.default_rng(3)
    rows = [rng.integers(4, 110, length).tolist() for length in rng.integers(0, 39, 40)]
    for name, translator in translators.items():
        for options in ({}, {"beam_size": 3, "n_best": 3}):
            options = {**options, "return_scores": True}
            expected = [known(one) for one in translator.translate_ids(rows, **options)]
            for batch_size in (6, 32):
                actual = translator.translate_ids(rows, batch_size=batch_size, **options)
                assert [known(one) for one in actual] == expected, name


def test_markup(translators):
    texts = ["<p>two dogs</p><p>play <b>with a red</b> ball</p>", "", "a <i>man</i> . the <br> man"]
    options = {"markup": True, "return_scores": True}
    alone = [known(translators["aligned"].translate(text, **options)) for text in texts]
    together = translators["aligned"].translate(texts, batch_size=4, **options)
    assert [known(one) for one in together] == alone


def test_chains(translators):
    translator = PivotTranslator([translators["ragged"], translators["builtin"]])
    texts = [*sentences(6), "", "two dogs\na man ."]
    for options in ({}, {"beam_size": 3, "n_best": 2, "target_prefix": "dogs"}):
        options = {**options, "return_scores": True}
        expected = [known(translator.translate(text, **options)) for text in texts]
        actual = translator.translate(texts, batch_size=5, **options)
        assert [known(one) for one in actual] == expected


@pytest.mark.slow
@pytest.mark.parametrize("mixer", [None, models.SSRUConfig(4), models.AveragedAttentionConfig(4)])
@pytest.mark.parametrize("quantization", ["float32", "int4"])
def test_any_decoder(built, monkeypatch, tmp_path, mixer, quantization):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    options = {"samples": SAMPLES, "quantization": quantization, "custom_ops": names.ALL}
    convert(make_transformer(120, mixer=mixer), tmp_path / "bundle", **options)
    rng = np.random.default_rng(0)
    with Translator(tmp_path / "bundle") as translator:
        most = translator.bundle.max_source_length - 1
        size = translator.bundle.source_vocabulary
        rows = [rng.integers(4, size, length).tolist() for length in rng.integers(1, most, 25)]
        for beam_size in (1, 3):
            options = {"beam_size": beam_size, "return_scores": True}
            expected = [known(one) for one in translator.translate_ids(rows, **options)]
            actual = translator.translate_ids(rows, batch_size=8, **options)
            assert [known(one) for one in actual] == expected


@pytest.mark.slow
def test_target_prefix_of_a_bundle(built, monkeypatch, tmp_path):
    """Ids that stand before every target, which is hidden."""
    from dataclasses import replace

    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    transformer = make_transformer(60)
    transformer.config = replace(transformer.config, target_prefix=(7, 8))
    convert(transformer, tmp_path / "bundle", samples=SAMPLES, custom_ops=True)
    rows = [[5, 6, 7], [9], [], [8] * 20]
    with Translator(tmp_path / "bundle") as translator:
        options = {"beam_size": 2, "return_scores": True}
        expected = [known(one) for one in translator.translate_ids(rows, **options)]
        actual = translator.translate_ids(rows, batch_size=3, **options)
        assert [known(one) for one in actual] == expected


def test_from_c(translators, built):
    library = NativeLibrary(built / "libtfcompress.so")
    handle = library.open(translators["ragged"].bundle.path)
    texts = [*sentences(9), "", "two dogs\n\nplay", "dogs" * 60]
    options = {"beam_size": 3, "n_best": 2, "target_prefix": b"two"}
    expected = [library.translate(handle, text, **options) for text in texts]
    for batch_size in (1, 4, 1024):
        assert library.translate_batch(handle, texts, batch_size, **options) == expected
    assert library.translate_batch(handle, [], 4) == []
    for batch_size in (0, -1, 1025):
        with pytest.raises(NativeError, match="`batch_size` must be from 1 to 1024") as caught:
            library.translate_batch(handle, texts, batch_size)
        assert caught.value.status == INVALID
    with pytest.raises(NativeError, match=r"text 1: .*UTF-8"):
        library.translate_batch(handle, ["two dogs", b"\xff"], 2)
    library.free(handle)


def test_wrong_sizes(translators):
    for batch_size in (0, 1025, 1.5, True, "2"):
        with pytest.raises(InputError, match="`batch_size` must be a whole number"):
            translators["python"].translate(["two"], batch_size=batch_size)
