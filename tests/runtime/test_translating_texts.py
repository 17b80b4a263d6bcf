"""Sentences, markup and several bundles in a row: in Python, and the same in the native runtime."""

import ctypes
import html
import random
import re

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from markup_texts import any_markup, nested_markup
from native_library import NativeError, NativeLibrary
from sentencepiece import sentencepiece_model_pb2
from small_models import sentences

from tfcompress.commands import main
from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.models import Seq2SeqTransformer
from tfcompress.pipeline.translating import translate_sentences
from tfcompress.runtime import Hypothesis, PivotTranslator, Translator
from tfcompress.runtime.c_interface import CResult, CSearch
from tfcompress.runtime.joining import join_parts
from tfcompress.runtime.markup_scanner import TokenType, scan
from tfcompress.runtime.native_results import RESULT_FUNCTIONS, hypotheses
from tfcompress.runtime.splitting import split_sentences
from tfcompress.text import Tokenizer

pytestmark = one_flavour
DOCUMENT = "two dogs play. Dr. A runs.\n\n  The man sees.\tWho? in 3.5 parks .. a ball\r\n"
PAGE = (
    "<p title='a>b'>two <b>dogs play</b> &amp; the <i>man</i><br>runs here.<img> Who?</p><pre>\na\n"
)


def with_codes(tokenizer, *codes):
    """The same, with codes in place of its last pieces."""
    model = sentencepiece_model_pb2.ModelProto.FromString(tokenizer.proto)
    for piece, code in zip(reversed(model.pieces), codes):
        piece.piece, piece.type = code, piece.USER_DEFINED
    return Tokenizer(model.SerializeToString())


@pytest.fixture(scope="module")
def aligned(transformer, tokenizer, tmp_path_factory):
    """A bundle with alignments and target codes."""
    tokenizer = with_codes(tokenizer, ">>de<<", ">>fr<<")
    path = tmp_path_factory.mktemp("texts") / "aligned"
    convert(
        Seq2SeqTransformer(transformer.config.replace(alignment_head=1), model=transformer.model),
        path,
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        quantization="float32",
        alignments=True,
        samples=[[5, 6, 2]],
    )
    return path


@pytest.fixture(scope="module")
def translator(aligned):
    with Translator(aligned, native=False) as translator:
        yield translator


@pytest.fixture(scope="module")
def other(bundle):
    """Without alignments."""
    with Translator(bundle, native=False) as translator:
        yield translator


@pytest.fixture(scope="module")
def library(built):
    return NativeLibrary(built / "libtfcompress.so")


@pytest.fixture(scope="module")
def handle(library, aligned):
    handle = library.open(aligned)
    yield handle
    library.free(handle)


@pytest.mark.parametrize("options", [{}, {"beam_size": 3, "n_best": 2}])
def test_each_sentence_by_itself(translator, options):
    rows = translator.translate(DOCUMENT, split_sentences=True, return_scores=True, **options)
    parts = split_sentences(DOCUMENT)
    alone = [translator.translate(text, return_scores=True, **options) for _, text in parts]
    assert len(parts) == 4
    for row, *each in zip(rows, *alone):
        assert row.ids == [token for one in each for token in one.ids]
        assert row.parts == len(parts)
        assert re.findall("\r?\n\\s*", row.text) == ["\n\n  "]
        assert "".join(row.text.split()) == "".join("".join(one.text.split()) for one in each)
    assert rows != translator.translate(DOCUMENT, return_scores=True, **options)


def without_tags(markup):
    texts = (token for token in scan(markup) if token.type == TokenType.TEXT)
    return html.unescape("".join(markup[token.begin : token.end] for token in texts))


def tags(markup):
    return sorted(markup[t.begin : t.end] for t in scan(markup) if t.type != TokenType.TEXT)


@pytest.mark.parametrize("options", [{}, {"beam_size": 3, "n_best": 3}])
def test_markup_is_plain_text_with_tags(translator, options):
    choose = random.Random(0)
    for text in sentences(12, seed=8):
        words = [choose.choice(["{}", "<b>{}</b>", "{}<x/>", "<a><i>{}</i>"]) for _ in text.split()]
        markup = " ".join(word.format(one) for word, one in zip(words, text.split()))
        markup += "</a>" * markup.count("<a>")
        plain = translator.translate(text, return_scores=True, **options)
        marked = translator.translate(markup, markup=True, return_scores=True, **options)
        for one, expected in zip(marked, plain, strict=True):
            assert one.ids == expected.ids
            assert one.score == pytest.approx(expected.score)
            assert "".join(without_tags(one.text).split()) == "".join(expected.text.split())
            assert tags(one.text) == tags(markup)
    assert translator.translate([PAGE], markup=True)[0].startswith("<p title='a>b'>")
    for empty in ("", " ", "<br>", "<p>\n</p>", "<script> two dogs </script>"):
        assert translator.translate(empty, markup=True) == empty


def test_markup_beyond_the_limit(translator):
    text = " ".join(["<b>the man sees</b> a red ball."] * 40)
    (best,) = translator.translate(text, markup=True, return_scores=True)
    assert best.parts > 1
    assert best.text.count("<b>") == best.text.count("</b>") == 40
    with pytest.raises(InputError, match="sentence 1, limit="):
        translator.translate(["a", text], markup=True, overlong="error")


def test_what_markup_needs(translator, other, bundle):
    with pytest.raises(InputError, match=r"with alignments\. Received: .* without\. Export it"):
        other.translate("two <b>dogs</b>", markup=True)
    with pytest.raises(InputError, match="sentence 1: Tags, comments and scripts must end"):
        translator.translate(["two", "<b"], markup=True)
    with pytest.raises(InputError, match=re.escape(f"Received: {bundle} without")):
        PivotTranslator([translator, other]).translate("two dogs", markup=True)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_translation_of_a_translation(translator, other, beam_size):
    chain = PivotTranslator([translator, other])
    batch = [*sentences(6, seed=9), ""]
    options = {"beam_size": beam_size}
    between = translator.translate(batch, **options)
    actual = chain.translate(batch, **options)
    assert actual == other.translate(between, **options)
    assert chain.translate("\n".join(batch), **options) == "\n".join(actual).removesuffix("\n")
    for source, pivot in zip(batch, between):
        (one,) = translator.translate(source, return_scores=True, **options)
        (two,) = other.translate(pivot, return_scores=True, **options)
        (both,) = chain.translate(source, return_scores=True, **options)
        total = one.log_probability + two.log_probability
        assert (both.text, both.ids, both.token_scores) == (two.text, two.ids, two.token_scores)
        assert both.log_probability == pytest.approx(total)
        assert both.score == pytest.approx(total / (len(two.ids) + 1))
        assert both.alignment is None
    assert chain.translate_ids([[5, 6]], **options)
    assert chain.translate(batch[:2], target_prefix="two", split_sentences=True) == [
        other.translate(pivot, target_prefix="two") if pivot else ""
        for pivot in translator.translate(batch[:2], split_sentences=True)
    ]


def test_the_best_of_all_translations(translator, other):
    chain = PivotTranslator([translator, other])
    source, options = sentences(3, seed=11)[2], {"beam_size": 3, "n_best": 3}
    rows = chain.translate(source, **options)
    expected = {}
    for one in translator.translate(source, **options):
        for two in other.translate(one.text, **options):
            total = one.log_probability + two.log_probability
            score = total / (len(two.ids) + 1)
            expected[two.text] = max(expected.get(two.text, score), score)
    best = sorted(expected.values(), reverse=True)[:3]
    assert [row.score for row in rows] == pytest.approx(best)
    assert len({row.text for row in rows}) == len(rows)


def test_alignments_through_a_pivot(translator):
    chain = PivotTranslator([translator, translator])
    longer = PivotTranslator([chain, translator])
    for source in [*sentences(4, seed=9), DOCUMENT.strip()]:
        for several in (chain, longer):
            (row,) = several.translate(source, return_scores=True)
            if row.alignment is None:
                continue
            width = len(several.source_tokens(source))
            assert row.alignment.shape == (len(row.token_ids), width)
            assert np.all(row.alignment >= 0)
            assert np.all(row.alignment.sum(axis=1) <= 1 + 1e-4)
    text = "two <b>dogs</b> play <x/> with <i>a red</i> ball."
    marked = longer.translate(text, markup=True)
    assert tags(marked) == tags(text)


@pytest.mark.parametrize(
    ("text", "options", "alone"),
    [
        (">>de<< two dogs\nthe man", {}, [">>de<< two dogs", ">>de<< the man"]),
        (">>de<< a\n>>fr<< man\nred", {}, [">>de<< a", ">>fr<< man", ">>fr<< red"]),
        ("a\n>>de<< man\nred", {}, ["a", ">>de<< man", ">>de<< red"]),
        (
            ">>de<< two dogs. The man.",
            {"split_sentences": True},
            [">>de<< two dogs.", ">>de<< The man."],
        ),
        (
            "<p>&gt;>de<< <b>two</b></p><p>red <i>dogs</i></p>",
            {"markup": True},
            [">>de<< two", ">>de<< red dogs"],
        ),
        (">> de<< two\ndogs", {}, [">> de<< two", "dogs"]),
        (">><< two\ndogs", {}, [">><< two", "dogs"]),
        (">>no<< two\ndogs", {}, [">>no<< two", "dogs"]),
        (">>de<< a\n>>no<< man", {}, [">>de<< a", ">>de<< >>no<< man"]),
        # A code alone is no text.
        (">>de<<\ntwo dogs", {}, [">>de<< two dogs"]),
        ("a\n >>fr<< \u200b\n>>de<<\nman", {}, ["a", ">>de<< man"]),
        ("Dogs. >>de<<\n\nman", {"split_sentences": True}, ["Dogs.", ">>de<< man"]),
        ("<p>&gt;>de<<</p> <i>two</i>", {"markup": True}, [">>de<< two"]),
        (">>de<<", {}, []),
    ],
)
def test_each_part_has_the_target_code(translator, library, handle, text, options, alone):
    (row,) = translator.translate(text, return_scores=True, **options)
    expected = translator.translate(alone, return_scores=True)
    assert row.ids == [token for (one,) in expected for token in one.ids]
    for blocks, (one,) in zip(row.part_alignments or (), expected, strict=True):
        np.testing.assert_allclose(blocks, one.alignment, atol=1e-6)
    ((native, ids, _),) = library.translate(
        handle, text, **{name: int(value) for name, value in options.items()}
    )
    assert (native, ids) == (row.text, row.ids)


def test_parts_of_a_long_line_have_the_target_code(translator, library, handle):
    text = ">>de<< " + "two dogs play with a red ball . " * 8
    parts, code = translator._parts("the text", text, "split", False)
    assert code == ">>de<<"
    assert len(parts) > 1
    for part in parts[1:]:
        assert part.ids == translator._source_part(f">>de<< {part.text}", "").ids
    assert all(len(part.ids) < 40 for part in parts)
    (row,) = translator.translate(text, return_scores=True)
    assert library.translate(handle, text)[0][:2] == (row.text, row.ids)
    # The code is nowhere in the text that tags are in.
    marked = f"<p>&gt;>de<< {'two <b>dogs</b> play with a red ball . ' * 8}</p>"
    assert library.translate(handle, marked, markup=1)[0][0] == translator.translate(
        marked, markup=True
    )


def test_errors_name_the_bundle(translator, other, bundle):
    chain = PivotTranslator([translator, other])
    source = next(
        text
        for text in (" ".join(sentences(3, seed=seed)) for seed in range(200))
        if len(translator._source_part(text, "").ids) < 38
        and len(other._source_part(translator.translate(text), "").ids) > 40
    )
    with pytest.raises(InputError, match=re.escape(f"in the text for {bundle}, limit=40")):
        chain.translate(source, overlong="error")
    assert chain.translate(source) == other.translate(translator.translate(source))
    for wrong in ([], ["en-de"], [None]):
        with pytest.raises(InputError, match="must be a list of `Translator`"):
            PivotTranslator(wrong)


def test_a_chain_closes_its_translators(bundle):
    translators = [Translator(bundle, native=False), Translator(bundle, native=False)]
    with PivotTranslator(translators) as chain:
        assert not chain.is_native
    for translator in translators:
        with pytest.raises(InputError, match="closed"):
            translator.translate("two dogs")


def native_texts(library, handles, text, **options):
    chain = handles if isinstance(handles, list) else None
    translate = library.translate if chain is None else library.translate_chain
    return translate(handles, text, with_scores=1, **options)


TEXTS = [DOCUMENT, PAGE, *sentences(3, seed=12), "", "\u4f60\u597d\u3002 \u00e9t\u00e9!"]
OPTIONS = [{}, {"split_sentences": 1}, {"beam_size": 3, "n_best": 2, "split_sentences": 1}]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("markup", [0, 1])
def test_the_native_runtime_gives_the_same(library, handle, translator, markup, options):
    chain = PivotTranslator([translator, translator])
    for text in TEXTS:
        for python, native in ((translator, handle), (chain, [handle, handle])):
            expected = python.translate(text, return_scores=True, markup=bool(markup), **options)
            actual = native_texts(library, native, text, markup=markup, **options)
            assert [one[:2] for one in actual] == [(row.text, row.ids) for row in expected]
            scores = [row.score for row in expected]
            assert [one[2] for one in actual] == pytest.approx(scores, rel=1e-4, abs=1e-4)
            assert library.num_parts == expected[0].parts


def test_joined_hypotheses_are_best_first(library, handle, translator):
    options = {"beam_size": 4, "n_best": 4, "split_sentences": True}
    chain = PivotTranslator([translator, translator])
    for seed in range(6):
        text = " ".join(one.capitalize() for one in sentences(3, seed=seed))
        for length_penalty in (1.0, 2.0):
            for python, native in ((translator, [handle]), (chain, [handle, handle])):
                rows = python.translate(text, length_penalty=length_penalty, **options)
                scores = [row.score for row in rows]
                assert scores == sorted(scores, reverse=True)
                for row in rows:
                    length = max(len(row.token_ids), 1)
                    expected = row.log_probability / length**length_penalty
                    assert row.score == pytest.approx(expected)
                actual = native_texts(
                    library, native, text, length_penalty=length_penalty, **options
                )
                assert [one[:2] for one in actual] == [(row.text, row.ids) for row in rows]
                assert [one[2] for one in actual] == pytest.approx(scores, rel=1e-4, abs=1e-4)


def native_hypotheses(library, handles, text):
    """All that the library tells of the translations of a text."""
    for name, types in RESULT_FUNCTIONS.items():
        getattr(library.c, name).argtypes = types
    chain = (ctypes.c_void_p * len(handles))(*(handle.value for handle in handles))
    size = ctypes.sizeof(CSearch)
    search = CSearch(size, beam_size=1, n_best=1, split=1, length_penalty=1.0, with_scores=1)
    result, data, count = ctypes.POINTER(CResult)(), text.encode(), ctypes.c_size_t(len(handles))
    library.check(
        library.c.tfc_translate_chain(
            chain,
            count,
            data,
            ctypes.c_size_t(len(data)),
            ctypes.byref(search),
            ctypes.byref(result),
        )
    )
    quality = ctypes.c_double()
    library.check(library.c.tfc_quality(result, ctypes.c_size_t(0), ctypes.byref(quality)))
    taken = hypotheses(library.c, result.contents)
    library.c.tfc_free_result(result)
    return taken[0], quality.value


def test_a_part_that_nothing_is_translated_on_of(library, handle, translator):
    chain = PivotTranslator([translator, translator])
    texts = [text for seed in range(8) for text in sentences(12, seed=seed)]
    gone = next((text for text in texts if not translator.translate(text).strip()), None)
    assert gone is not None
    for text in (gone, f"{gone}\ntwo dogs", f"two dogs\n{gone}\nthe man", f"a\n{gone}\n{gone}"):
        for several in (chain, PivotTranslator([chain, translator])):
            (row,) = several.translate(text, return_scores=True)
            assert row.alignment.shape == (len(row.token_ids), len(several.source_tokens(text)))
            handles = [handle] * (2 if several is chain else 3)
            actual, quality = native_hypotheses(library, handles, text)
            assert actual.ids == row.ids
            assert actual.score == pytest.approx(row.score, rel=1e-4)
            np.testing.assert_allclose(actual.alignment, row.alignment, atol=1e-4)
            assert row.quality == pytest.approx(quality, rel=1e-4)
            assert actual.hard_alignment == row.hard_alignment
    assert chain.translate(gone, return_scores=True)[0].quality == 0
    assert chain.translate(" ", return_scores=True)[0].quality == 1
    assert native_hypotheses(library, [handle, handle], gone)[1] == 0
    assert native_hypotheses(library, [handle, handle], " ")[1] == 1


def test_alignments_come_where_tokens_do(in_python, aligned):
    for with_tokens in (False, True):
        (one,) = translate_sentences(aligned, ["two dogs"], with_tokens=with_tokens)
        assert (one.hypotheses[0].part_alignments is not None) == with_tokens


def test_joining_many_parts_takes_no_large_matrix():
    block = np.eye(3, 4, dtype=np.float32)
    one = Hypothesis([5, 6], -1.0, -1.0, "", 1, [5, 6, 2], [-0.5, -0.5, 0.0], [block])
    whole = join_parts([one] * 20_000, "", 1.0)
    assert whole.score == pytest.approx(-1 / 3)
    assert len(whole.hard_alignment) == 60_000
    assert whole.hard_alignment[-1] == (4 * 19_999 + 2, 59_999)
    few = join_parts([one] * 3, "", 1.0)
    np.testing.assert_array_equal(few.alignment, np.kron(np.eye(3), block))
    rows = few.alignment.argmax(axis=1)
    assert few.hard_alignment == [(column, row) for row, column in enumerate(rows)]


@settings(max_examples=25)
@given(nested_markup | any_markup)
def test_any_markup(library, handle, translator, text):
    try:
        expected = translator.translate(text, markup=True)
    except InputError:
        expected = None
    if expected is None:
        with pytest.raises(NativeError, match="must end"):
            library.translate(handle, text, markup=1)
    else:
        assert library.translate(handle, text, markup=1)[0][0] == expected


def test_native_errors(library, handle, bundle):
    plain = library.open(bundle)
    for handles in ([plain], [handle, plain]):
        with pytest.raises(NativeError, match="Markup needs a bundle with alignments"):
            native_texts(library, handles, "two <b>dogs</b>", markup=1)
    with pytest.raises(NativeError, match="A chain needs a translator"):
        native_texts(library, [], "two dogs")
    with pytest.raises(NativeError, match="A translator"):
        native_texts(library, [None], "two dogs")
    library.free(plain)


def command(capsys, *arguments):
    assert main(["translate", *map(str, arguments)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.fixture
def in_python(monkeypatch):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", "0")


def test_command(in_python, aligned, bundle, translator, other, tmp_path, capsys):
    lines = [*sentences(3, seed=13), "", "two dogs.  the <b>man</b> sees."]
    source = tmp_path / "lines"
    source.write_text("\n".join(lines) + "\n")
    for option, name in (("--markup", "markup"), ("--split-sentences", "split_sentences")):
        expected = translator.translate(lines, **{name: True})
        actual = command(capsys, aligned, "--input", source, option)
        assert actual == "".join(f"{line}\n" for line in expected)
    chain = PivotTranslator([translator, other])
    options = [aligned, bundle, "--input", source, "--split-sentences"]
    expected = "".join(f"{line}\n" for line in chain.translate(lines, split_sentences=True))
    assert command(capsys, *options) == expected
    output = tmp_path / "output"
    assert command(capsys, *options, "--output", output) == ""
    assert output.read_text() == expected
    assert main(["translate", str(aligned), str(bundle), "--input", str(source), "--markup"]) == 2
    assert f"with alignments. Received: {bundle} without" in capsys.readouterr().err
    assert main(["translate", str(aligned), str(source)]) == 2


def test_command_on_a_document(in_python, aligned, translator, tmp_path, capsys):
    page = "<!DOCTYPE html>\r\n<script>\nif (a < b)\n</script>\n<p>two\ndogs</p>\n" + PAGE
    source, output = tmp_path / "page", tmp_path / "output"
    source.write_bytes(page.encode())
    options = [aligned, "--input", source, "--markup", "--document"]
    expected = translator.translate(page.removesuffix("\n"), markup=True) + "\n"
    command(capsys, *options, "--output", output)
    assert output.read_bytes() == expected.encode()
    assert main(["translate", str(aligned), "--input", str(source), "--markup"]) == 2
    assert "line 2: the text: Tags, comments and scripts must end" in capsys.readouterr().err
    source.write_bytes(b"\xff")
    assert main(["translate", *map(str, options)]) == 2
    assert f"Received: byte 0 of {source}" in capsys.readouterr().err
