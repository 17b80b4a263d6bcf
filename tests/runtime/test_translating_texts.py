"""Sentences, markup and several bundles in a row: in Python, and the same in the native runtime."""

import html
import random
import re

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from markup_texts import any_markup, nested_markup
from native_library import NativeError, NativeLibrary
from small_models import sentences

from tfcompress.commands import main
from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.models import Seq2SeqTransformer
from tfcompress.runtime import PivotTranslator, Translator
from tfcompress.runtime.markup_scanner import TokenType, scan
from tfcompress.runtime.splitting import split_sentences

pytestmark = one_flavour
DOCUMENT = "two dogs play. Dr. A runs.\n\n  The man sees.\tWho? in 3.5 parks .. a ball\r\n"
PAGE = (
    "<p title='a>b'>two <b>dogs play</b> &amp; the <i>man</i><br>runs here.<img> Who?</p><pre>\na\n"
)


@pytest.fixture(scope="module")
def aligned(transformer, tokenizer, tmp_path_factory):
    """A bundle with alignments."""
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


CODED = [">>de<< two dogs. The man.", "<p>&gt;>de<< two</p><p>dogs</p>"]


@pytest.mark.parametrize("text", CODED)
def test_a_target_code_is_for_one_sentence(translator, library, handle, text):
    options = {"split_sentences": 1, "markup": int(text.startswith("<"))}
    cause = "Each sentence needs its target code. Received: .*>>de<<.* before 2 of them"
    with pytest.raises(InputError, match=f"{cause} in the text"):
        translator.translate(text, **options)
    with pytest.raises(NativeError, match=cause):
        library.translate(handle, text, **options)
    assert isinstance(translator.translate(">>de<< two dogs.", split_sentences=True), str)


def test_errors_name_the_bundle(translator, other, bundle):
    chain = PivotTranslator([translator, other])
    source = next(
        text
        for text in (" ".join(sentences(3, seed=seed)) for seed in range(200))
        if len(translator._encode(text)) < 38
        and len(other._encode(translator.translate(text))) > 40
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
