"""Prefixes, banned words, scores and alignments: in Python, and the same in the native runtime."""

import ctypes
import json
import re
from ctypes import byref, c_double, c_size_t

import numpy as np
import pytest
from flavours import one_flavour
from native_library import NativeError, NativeLibrary
from small_models import make_transformer, sentences

from tfcompress.custom_ops import names
from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.models import Seq2SeqTransformer
from tfcompress.runtime import Hypothesis, Translator, open_bundle
from tfcompress.runtime.c_interface import CIds, CSearch
from tfcompress.text import Shortlist
from tfcompress.text.affixes import with_affixes

pytestmark = one_flavour
SAMPLES = [[5, 6, 2]]
PREFIX = (9,)
BATCH = [*sentences(6, seed=4), ""]
LONG = " ".join(sentences(14, seed=5))


def with_config(transformer, **changes):
    return Seq2SeqTransformer(transformer.config.replace(**changes), model=transformer.model)


@pytest.fixture(scope="module")
def aligned(tokenizer, tmp_path_factory):
    """A bundle of text with a prefix of its own and alignments."""
    path = tmp_path_factory.mktemp("constraints") / "aligned"
    convert(
        with_config(make_transformer(120, 1), target_prefix=PREFIX, alignment_head=1),
        path,
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        quantization="float32",
        alignments=True,
        samples=SAMPLES,
    )
    return path


@pytest.fixture(scope="module", params=["python", "native"])
def translator(request, aligned):
    with Translator(aligned, native=request.param == "native" and needs(request)) as translator:
        yield translator


@pytest.fixture(scope="module")
def use_built(built):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
        yield True


def needs(request):
    return request.getfixturevalue("use_built")


def log_probabilities(translator, sentence, ids):
    """Of each token and the end id, by the logits after each prefix."""
    source = translator._source_part(sentence, "").ids
    logits = translator._run(lambda engine: engine.logits(source, ids))
    logits = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits[np.arange(len(ids) + 1), [*ids, 2]]


@pytest.mark.parametrize("options", [{}, {"target_prefix": "two dogs", "banned_words": ["ball"]}])
def test_scores_and_alignments(translator, options):
    for rows, source in zip(translator.translate(BATCH, beam_size=3, n_best=3, **options), BATCH):
        for one in rows:
            if not source:
                assert one == Hypothesis([], 0.0, 0.0, "")
                assert one.quality == 1
                continue
            expected = log_probabilities(translator, source, one.ids)
            assert one.token_ids == [*one.ids, 2]
            assert one.token_scores == pytest.approx(expected, abs=1e-3)
            assert one.log_probability == pytest.approx(sum(one.token_scores))
            assert one.quality == pytest.approx(np.exp(np.mean(one.token_scores)))
            source_tokens = len(translator._source_part(source, "").ids) + 1
            assert one.alignment.shape == (len(one.ids) + 1, source_tokens)
            assert one.alignment.sum(axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("beam_size", [1, 4])
def test_translations_begin_with_the_prefix(translator, beam_size):
    for prefix in ("two dogs", "who", "an old wom"):
        texts = translator.translate(BATCH, beam_size=beam_size, target_prefix=prefix)
        assert all(text.startswith(prefix) for text in texts[:-1])
        assert texts[-1] == ""
    (ids,) = translator.translate_ids([[5, 6, 7]], beam_size=beam_size)
    assert len(ids) > 3
    for length in range(4):
        again = translator.translate_ids([[5, 6, 7]], target_prefix=ids[:length])
        assert again[0][:length] == ids[:length]
        assert beam_size > 1 or again == [ids]


def has_word(text, word):
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


@pytest.mark.parametrize("beam_size", [1, 4])
def test_banned_words_are_in_no_text(translator, beam_size):
    options = {"beam_size": beam_size, "n_best": beam_size, "return_scores": True}
    banned = []
    for _ in range(4):
        rows = translator.translate(BATCH, banned_words=banned, **options)
        texts = [one.text for row in rows for one in row]
        assert not any(has_word(text, word) for text in texts for word in banned)
        words = [word for text in texts for word in re.findall(r"\w+", text)]
        # What comes most often, and two words in a row.
        banned.append(max({*words}, key=words.count))
        banned += re.findall(r"\w+ \w+", texts[0])[:1]


def test_parts_are_joined(translator):
    one = translator.translate(LONG, return_scores=True, target_prefix="two")[0]
    assert one.parts > 1
    assert one.text.startswith("two")
    assert len(one.token_scores) == len(one.ids) + one.parts == len(one.alignment)
    assert [token for token in one.token_ids if token != 2] == one.ids
    assert one.token_ids.count(2) == one.parts
    assert len(translator.target_tokens(one)) == len(one.token_ids)
    assert len(translator.source_tokens(LONG)) == one.alignment.shape[1]
    for source, target in one.hard_alignment:
        assert one.alignment[target, source] == one.alignment[target].max()
    assert sum(one.token_scores) == pytest.approx(one.log_probability)
    assert one.alignment.sum(axis=1) == pytest.approx(1, abs=1e-4)
    # Each part has its own source.
    first, last = translator.translate(sentences(2, seed=6), return_scores=True)
    joined = translator.translate("\n".join(sentences(2, seed=6)), return_scores=True)[0]
    rows, columns = first[0].alignment.shape
    np.testing.assert_allclose(joined.alignment[:rows, :columns], first[0].alignment, atol=1e-6)
    np.testing.assert_allclose(joined.alignment[rows:, columns:], last[0].alignment, atol=1e-6)
    assert not joined.alignment[rows:, :columns].any()
    assert not joined.alignment[:rows, columns:].any()


@pytest.mark.parametrize("beam_size", [1, 4])
def test_both_runtimes_agree(aligned, use_built, beam_size):
    results = []
    for native in (False, True):
        with Translator(aligned, native=native) as translator:
            assert translator.is_native == native
            options = {"beam_size": beam_size, "target_prefix": "the m"}
            words = {"banned_words": ["man", "red ball", "in", "x\u4e2dx", "\u00e4"]}
            results.append(
                translator.translate([*BATCH, LONG], return_scores=True, **options, **words)
            )
            assert [row[0].text for row in results[-1]] == translator.translate(
                [*BATCH, LONG], **options, **words
            )
    for row, other in zip(*results, strict=True):
        for one, two in zip(row, other, strict=True):
            assert (one.text, one.ids, one.parts) == (two.text, two.ids, two.parts)
            assert one.token_ids == two.token_ids
            assert one.token_scores == pytest.approx(two.token_scores, abs=1e-4)
            if one.ids:
                np.testing.assert_allclose(one.alignment, two.alignment, atol=1e-4)


IMPOSSIBLE = [
    ({"target_prefix": "\u4e2d"}, r"must have characters of the bundle's target tokenizer"),
    ({"target_prefix": "two " * 80}, r"must leave room for the end mark\. Received: \d+ tokens"),
    ({"target_prefix": "two dogs", "max_length": 2}, "must leave room for the end mark"),
    ({"target_prefix": 5}, "A text must be a string"),
    ({"target_prefix": "two dogs", "banned_words": ["dogs"]}, "must have none of `banned_words`"),
    ({"banned_words": "dogs"}, "must be a list of words"),
    ({"banned_words": ["dogs", " \n"]}, "Received: none in banned word 1"),
    ({"banned_words": ["dogs", 3]}, "A text must be a string"),
    ({"banned_words": ["\ud800"]}, "lone surrogate"),
    ({"banned_words": 7}, "must be a list of words"),
    ({"banned_words": ["a", "do\0gs"]}, "no NUL character. Received: one in banned word 1"),
    ({"target_prefix": "\0"}, "no NUL character. Received: one in target_prefix"),
]


@pytest.mark.parametrize(("options", "message"), IMPOSSIBLE)
def test_impossible_constraints(translator, options, message):
    with pytest.raises(InputError, match=message):
        translator.translate("two dogs play .", **options)


@pytest.mark.parametrize("text", ["", " \n", "<br>"])
def test_a_banned_prefix_of_a_blank_text(translator, library, handle, text):
    words, message = (ctypes.c_char_p * 1)(b"dogs"), "must have none of `banned_words`"
    options = {"target_prefix": "two dogs", "banned_words": ["dogs"], "markup": text == "<br>"}
    for given in (text, [text], []):
        with pytest.raises(InputError, match=message):
            translator.translate(given, **options)
    with pytest.raises(InputError, match=message):
        translator.translate_ids([[]], target_prefix=[5, 6], banned_words=[[6]])
    given = {"target_prefix": b"two dogs", "banned_words": words, "num_banned_words": 1}
    with pytest.raises(NativeError, match=message):
        library.translate(handle, text, markup=int(options["markup"]), **given)
    row = (CIds * 1)(CIds((ctypes.c_int32 * 1)(6), 1))
    prefix = CIds((ctypes.c_int32 * 2)(5, 6), 2)
    with pytest.raises(NativeError, match=message):
        library.translate_ids(
            handle, [], target_prefix_ids=prefix, banned_ids=row, num_banned_ids=1
        )


@pytest.mark.parametrize("option", ["markup", "split_sentences"])
def test_ids_have_no_text_to_take_apart(library, handle, option):
    with pytest.raises(NativeError, match=f"neither markup nor sentences. Received: `{option}`"):
        library.translate_ids(handle, [5, 6], **{option: 1})


def test_affixes_are_for_the_source(tokenizer, library, aligned, tmp_path):
    """One tokenizer for both sides, which puts a piece around every text."""
    joint = with_affixes(tokenizer.proto, ["</s>"], ["."])
    bundle = open_bundle(aligned)
    manifest = json.loads((aligned / "manifest.json").read_text())
    for file in aligned.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    for name in {bundle.source_tokenizer.name, bundle.target_tokenizer.name}:
        (tmp_path / name).write_bytes(joint)
        manifest["files"][name]["bytes"] = len(joint)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    handle, options = library.open(tmp_path, verify=0), {"target_prefix": "two d"}
    with Translator(tmp_path, native=False, verify=False) as translator:
        assert translator._source_part("two", "").ids[0] == 2
        for text in BATCH[:4]:
            expected = translator.translate(text, **options)
            assert expected.startswith("two d")
            given = {"target_prefix": b"two d"}
            assert library.translate(handle, text, **given)[0][0] == expected
            for banned in re.findall(r"\w\w+", expected)[1:3]:
                given = {"banned_words": (ctypes.c_char_p * 1)(banned.encode())}
                actual = library.translate(handle, text, num_banned_words=1, **given)[0][0]
                assert not has_word(actual, banned)
                assert actual == translator.translate(text, banned_words=[banned])
    library.free(handle)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_prefix": [2]}, "the end id"),
        ({"target_prefix": [1]}, "the begin id"),
        ({"target_prefix": [0, 5]}, "padding"),
        ({"target_prefix": [120]}, "from 0 to 119"),
        ({"target_prefix": [5.5]}, "whole numbers"),
        ({"target_prefix": [5] * 80}, "must leave room"),
        ({"target_prefix": [5, 6], "banned_words": [[7], [5, 6]]}, "none of `banned_words`"),
        ({"banned_words": [[]]}, "must have text"),
        ({"banned_words": [[5], [2]]}, "the end id"),
        ({"banned_words": [5]}, "whole numbers"),
        ({"banned_words": None}, "list of lists of ids"),
    ],
)
def test_impossible_constraints_of_ids(translator, options, message):
    with pytest.raises(InputError, match=message):
        translator.translate_ids([[5, 6, 7]], **options)


def contains(ids, row):
    return any(ids[i : i + len(row)] == row for i in range(len(ids)))


@pytest.fixture(scope="module")
def fast(tmp_path_factory, use_built):
    """Custom operations, a shortlist, and targets that begin with the end id."""
    path = tmp_path_factory.mktemp("constraints") / "fast"
    transformer = with_config(make_transformer(60, 1), target_prefix=(7, 8), bos_id=2)
    shortlist = Shortlist(
        np.arange(2, 40, dtype=np.int32), np.zeros(61, np.int32), np.zeros(0, np.int32), 60
    )
    convert(
        transformer,
        path,
        custom_ops=[names.TOP_LOGITS, names.DECODER],
        shortlist=shortlist,
        alignments=True,
        samples=SAMPLES,
    )
    return path


def test_custom_operations(fast):
    batch = [[5, 6, 7], [30, 31], [11] * 12]
    with Translator(fast) as translator:
        assert translator.is_native
        # That of the whole decoder would give no alignments.
        assert translator.bundle.custom_ops == (names.TOP_LOGITS,)
        free = translator.translate_ids(batch, beam_size=3, n_best=3)
        for beam_size in (1, 3):
            options = {"beam_size": beam_size, "n_best": beam_size, "return_scores": True}
            # The prefix has an id that the shortlist lacks.
            rows = translator.translate_ids(batch, target_prefix=[55, 6], **options)
            for row, source in zip(rows, batch):
                for one in row:
                    assert one.ids[:2] == [55, 6]
                    assert {*one.ids[2:]} <= {*range(2, 40), 55}
                    assert all(np.isfinite(one.token_scores))
                    assert one.alignment.shape == (len(one.ids) + 1, len(source) + 1)
            plain = translator.translate_ids(batch, target_prefix=[55, 6], beam_size=beam_size)
            assert plain == [row[0].ids for row in rows]
            rows = [row[0].ids for row in free]
            banned = [*filter(None, [rows[0][:1], rows[1][:2], rows[2][1:3]])]
            assert banned
            for row in translator.translate_ids(batch, banned_words=banned, **options):
                assert not any(contains(one.ids, word) for one in row for word in banned)


@pytest.fixture(scope="module")
def library(built):
    return NativeLibrary(built / "libtfcompress.so")


@pytest.fixture(scope="module")
def handle(library, aligned):
    handle = library.open(aligned)
    yield handle
    library.free(handle)


def test_text_constraints_in_c(library, handle, aligned):
    with Translator(aligned, native=False) as translator:
        options = {"target_prefix": "two d", "banned_words": ["dogs", "man"]}
        expected = translator.translate(LONG, **options)
    words = (ctypes.c_char_p * 2)(b"dogs", b"man")
    given = {"target_prefix": b"two d", "banned_words": words, "num_banned_words": 2}
    assert library.translate(handle, LONG, **given)[0][0] == expected
    for wrong, message in (
        ({"target_prefix": "\u4e2d".encode()}, "must have characters"),
        ({"target_prefix": b"\xff"}, "must be UTF-8"),
        ({"banned_words": (ctypes.c_char_p * 1)(b" "), "num_banned_words": 1}, "must have text"),
        ({"banned_words": None, "num_banned_words": 1}, "banned_words"),
    ):
        with pytest.raises(NativeError, match=message):
            library.translate(handle, "two dogs .", **wrong)


def test_programs_of_an_earlier_header(library, handle):
    """Their options end where the constraints begin."""
    size = CSearch.target_prefix.offset
    wild = {"banned_words": None, "num_banned_words": 99}
    actual = library.translate(handle, LONG, struct_size=size, **wild)
    assert actual == library.translate(handle, LONG)
    with pytest.raises(NativeError, match="struct_size"):
        library.translate(handle, LONG, struct_size=size - 4)


def test_results_that_there_are_not(library, handle):
    ids, scores = ctypes.POINTER(ctypes.c_int32)(), ctypes.POINTER(c_double)()
    count = c_size_t()
    with pytest.raises(NativeError, match="`result`"):
        library.check(
            library.c.tfc_token_scores(None, c_size_t(0), byref(ids), byref(scores), byref(count))
        )


@pytest.mark.parametrize("prefix", [[120], [-1], ["a"], 5, None, [2], [5] * 70, [True]])
def test_altered_prefixes_are_refused(library, aligned, tmp_path, prefix):
    for file in aligned.iterdir():
        (tmp_path / file.name).symlink_to(file)
    manifest = json.loads((aligned / "manifest.json").read_text())
    manifest["ids"]["target_prefix"] = prefix
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"`ids\.target_prefix`"):
        open_bundle(tmp_path)
    with pytest.raises(NativeError, match=r"`ids\.target_prefix`"):
        library.open(tmp_path)
