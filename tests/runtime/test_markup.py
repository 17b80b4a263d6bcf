import html
import re
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st
from markup_texts import aligned, any_markup, nested_markup, random_translations, word_for_word

from tfcompress.errors import InputError
from tfcompress.runtime.markup import MarkupDocument
from tfcompress.runtime.markup_scanner import BLOCKS, ENDED_BY, TokenType, scan
from tfcompress.runtime.tag_placement import AlignedPart, Tag, place_tags, shared_characters

pytestmark = one_flavour


def in_capitals(markup):
    document = MarkupDocument.parse(markup)
    return document.join([word_for_word(segment) for segment in document.segments])


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("", ""),
        (" \n ", " \n "),
        ("one  two", "ONE TWO"),
        ("<p>two <b>dogs</b> &amp; a cat.</p>\n", "<p>TWO <b>DOGS</b> &amp; A CAT.</p>\n"),
        ("a <b>b <i>c</i></b> d", "A <b>B <i>C</i></b> D"),
        ("a <b><i>b</i> c</b>, d", "A <b><i>B</i> C</b>, D"),
        # What stands at the ends stays there, as it is.
        ("<p> <a href=x>\n<b> hi </b></a>&nbsp;</p>", "<p> <a href=x>\n<b> HI </b></a>&nbsp;</p>"),
        ("<img> go <b> </b>now<b></b>", "<img> GO <b> </b> NOW<b></b>"),
        ("<a>one</a> two", "<a>ONE</a> TWO"),
        # Blocks, and whatever has one inside.
        ("x <br> y<br/>z", "X <br> Y<br/>Z"),
        ("<b>one<br>two</b> three", "<b>ONE<br>TWO</b> THREE"),
        ("<ul><li>one<li>two</ul>", "<ul><li>ONE<li>TWO</ul>"),
        ("<TD>one</td><td>two</TD>", "<TD>ONE</td><td>TWO</TD>"),
        # Tags in the wrong order, or alone.
        ("<b><i>x</b></i>", "<b><i>X</b></i>"),
        ("a</b> <i>b", "A</b> <i>B"),
        # What is not translated.
        ("use <code>f(<b>x</b>)</code> to go", "USE <code>f(<b>x</b>)</code> TO GO"),
        ("see<kbd>x</kbd>.", "SEE<kbd>x</kbd>."),
        ("press <kbd>x</kbd>.", "PRESS <kbd>x</kbd>."),
        ("<span translate=NO>foo <b>x</b></span> is", "<span translate=NO>foo <b>x</b></span> IS"),
        ("a <i class='b notranslate'>foo</i> b", "A <i class='b notranslate'>foo</i> B"),
        ("a <i class='notranslated'>foo</i> b", "A <i class='notranslated'>FOO</i> B"),
        ("<div translate=no>foo</div>a", "<div translate=no>foo</div>A"),
        ("a<script>if (a<b) '</b>'</SCRIPT > b", "A<script>if (a<b) '</b>'</SCRIPT > B"),
        ("<style>b</style><!-- a --> b<![CDATA[c]]>", "<style>b</style><!-- a --> B<![CDATA[c]]>"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><?xml a?> b", "<!DOCTYPE x [<!ENTITY a 'b'>]><?xml a?> B"),
        ("a <!--> b <!---> c", "A <!--> B <!---> C"),
        ("<pre>a <code>b\nc</code> d\ne</pre>", "<pre>A <code>b\nc</code> D\nE</pre>"),
        ("<pre>a <code>\n<b>\n</code>\n</pre>b", "<pre>A <code>\n<b>\n</code>\n</pre>B"),
        ("a <code><pre>b\nc</pre></code> d", "A <code><pre>b\nc</pre></code> D"),
        # Line breaks are space, but where they are not.
        ("one\n two", "ONE TWO"),
        ("<pre>a\n  b <b>c</b>\r\n</pre>d\ne", "<pre>A\n  B <b>C</b>\r\n</pre>D E"),
        # Elements without an end tag, up to the tag that ends them or their parent's end.
        ("<p translate=no>a<p>b", "<p translate=no>a<p>B"),
        ("<p translate=no>a <b>b</b><div>c</div>d", "<p translate=no>a <b>b</b><div>C</div>D"),
        ("<ul><li class=notranslate>a<li>b</ul>c", "<ul><li class=notranslate>a<li>B</ul>C"),
        ("<li translate=no>a<ul><li>b</ul>c<li>d", "<li translate=no>a<ul><li>b</ul>c<li>D"),
        ("<tr><td translate=no>a<td>b<tr><td>c", "<tr><td translate=no>a<td>B<tr><td>C"),
        ("<tr translate=no><td>a<td>b<tr><td>c", "<tr translate=no><td>a<td>b<tr><td>C"),
        ("<p>a <i translate=no>b<p>c</i>", "<p>A <i translate=no>b<p>c</i>"),
        ("<p>a <span translate=no>b<hr>c", "<p>A <span translate=no>b<hr>C"),
        # Formatting goes on, but not out of cells and the like.
        ("<b>a <code>b</b> c", "<b>A <code>b</b> c"),
        ("<td><b translate=no>a<td>b", "<td><b translate=no>a<td>B"),
        ("<tr><td><p><b translate=no>a<p>b<tr>c", "<tr><td><p><b translate=no>a<p>b<tr>C"),
        ("<td><i translate=no>a</td><td>b</td>", "<td><i translate=no>a</td><td>B</td>"),
        ("<p><b translate=no>a<p>b</b>c", "<p><b translate=no>a<p>b</b>C"),
        ("<p><b translate=no>a</p><p>b</b> c</p>", "<p><b translate=no>a</p><p>b</b> C</p>"),
        ("<li><b translate=no>a<li>b", "<li><b translate=no>a<li>b"),
        ("<p><i translate=no>a</p><table><td></i>b", "<p><i translate=no>a</p><table><td></i>b"),
        ("<p><span translate=no>a</p><p>b</p>", "<p><span translate=no>a</p><p>B</p>"),
        ("<p><a translate=no>a</p>b <a>c</a> d", "<p><a translate=no>a</p>b <a>C</a> D"),
        # A cell ends the one before, and end tags in it end nothing outside.
        ("<td><b translate=no>a<td>b</b> c<td>d", "<td><b translate=no>a<td>B</b> C<td>D"),
        (
            "<i translate=no>a<table><td>b</i>c</table>d</i>e",
            "<i translate=no>a<table><td>b</i>c</table>d</i>E",
        ),
        # One that goes on beyond another that is not translated either.
        (
            "<p><b translate=no>a <i translate=no>b</b> c</p>d</i> e",
            "<p><b translate=no>a <i translate=no>b</b> c</p>d</i> E",
        ),
        (
            "<p><b translate=no>a</p>b <code>c</b>d</code> e",
            "<p><b translate=no>a</p>b <code>c</b>d</code> E",
        ),
        ("<marquee><u translate=no>a</marquee>b", "<marquee><u translate=no>a</marquee>B"),
        ("<div translate=no>a<p>b", "<div translate=no>a<p>b"),
        ("<dl><dt translate=no>a<dd>b<dt>c</dl>", "<dl><dt translate=no>a<dd>B<dt>C</dl>"),
        # Text in which no tags are, and elements whose slash does not end them.
        ("<title>a<b &amp; <i></title>b", "<title>A&lt;B &amp; &lt;I&gt;</title>B"),
        ("<textarea>a <b\nc</TEXTAREA >b", "<textarea>A &lt;B\nC</TEXTAREA >B"),
        ("<title translate=no>a<b</title>b", "<title translate=no>a<b</title>B"),
        ("<title>a <!-- b --></title>", "<title>A &lt;!-- B --&gt;</title>"),
        ("<title>a <b>b</b>", "<title>A <b>B</b>"),
        ("<script/>a<b</script>b", "<script/>a<b</script>B"),
        ("<title/>a<b</title>b", "<title/>A&lt;B</title>B"),
        ("<script src='a'/>a <script src='b' /> b", "<script src='a'/>A <script src='b' /> B"),
        # References.
        ("&lt;b&gt; &#98; &#x62; &apos;", "&lt;B&gt; B B '"),
        ("a &foo; b &#0; c &#xD800;", "A &foo; B &#0; C &#xD800;"),
        ("AT&T & co &amp c &; &#; &#x;", "AT&amp;T &amp; CO &amp;AMP C &amp;; &amp;#; &amp;#X;"),
        ("&#10;a&#10;b", "&#10;A B"),
        # What only looks like a tag.
        ("1 < 2 <3 </ > <", "1 &lt; 2 &lt;3 &lt;/ &gt; &lt;"),
        ("a <b title='>'>b</b> <i x=a/>c</i> <x/>", "A <b title='>'>B</b> <i x=a/>C</i> <x/>"),
        ("<b x = \"'\" y>a</b  > b", "<b x = \"'\" y>A</b  > B"),
    ],
)  # fmt: skip
def test_word_for_word(markup, expected):
    assert in_capitals(markup) == expected


@pytest.mark.parametrize(
    ("markup", "target", "pairs", "expected"),
    [
        (
            "I have <b>not</b> <i>read</i> the <a>red book</a>.",
            "Ich habe das rote Buch nicht gelesen.",
            [(0, 0), (1, 1), (2, 4), (3, 5), (4, 6), (5, 2), (6, 3), (7, 7)],
            "Ich habe das <a>rote Buch</a> <b>nicht</b> <i>gelesen</i>.",
        ),
        # One word of many that is aligned elsewhere.
        (
            "<b>a b c d</b> e",
            "a b e c d f",
            [(0, 0), (1, 1), (2, 4), (3, 2), (4, 3), (5, 4)],
            "<b>a b e c d</b> f",
        ),
        ("a <b>b</b> c", "b a c b", [(0, 1), (1, 0), (2, 2), (3, 1)], "<b>b</b> a c b"),
        # A word without a translation, and no words at all.
        ("<b>the</b> dogs <i>run</i>", "Hunde", [(0, 1)], "<b></b>Hunde<i></i>"),
        ("<b>the</b> dogs", "", [], "<b></b>"),
        # In a word; beside a full stop.
        ("<b>un</b>clear", "unklar", [(0, 0)], "<b>unklar</b>"),
        ("<b>it</b>. <i>no</i>", "es. (ja)", [(0, 0), (1, 1), (3, 2)], "<b>es</b>. (<i>ja</i>)"),
        # Tags that stand for something keep their space.
        ("a <img> b", "b a", [(0, 1), (1, 0)], "<img> b a"),
        ("a <x/>b c", "x a b c", [(1, 0), (2, 1), (3, 2)], "x a <x/>b c"),
        ("a<x/> b", "a b", [(0, 0), (1, 1)], "a<x/> b"),
    ],
)  # fmt: skip
def test_tags_follow_their_words(markup, target, pairs, expected):
    document = MarkupDocument.parse(markup)
    (segment,) = document.segments
    assert document.join([aligned(segment.text, target, pairs)]) == expected


@pytest.mark.parametrize(
    "open_end", ["<b", "<b x='", "a <!-- b", "<script>a</scrip>", "<?x", "<![CDATA[", "</b", "<!x"]
)
def test_what_has_no_end(open_end):
    with pytest.raises(InputError, match=r"must end\. Received: .* at character \d+\. Close it"):
        MarkupDocument.parse(open_end)


def tags_of(markup):
    return [
        markup[token.begin : token.end] for token in scan(markup) if token.type != TokenType.TEXT
    ]


def is_nested(markup):
    opened = []
    for token in scan(markup):
        if token.type == TokenType.OPEN:
            opened.append(token.name)
        elif token.type == TokenType.CLOSE and (not opened or opened.pop() != token.name):
            return False
    return not opened


def words_of(markup):
    """The characters between tags, without any space."""
    text = "".join(
        markup[token.begin : token.end] for token in scan(markup) if token.type == TokenType.TEXT
    )
    return re.sub(r"\s", "", html.unescape(text.replace("&unk;", "").replace("&#0;", "")))


@settings(max_examples=60)
@given(nested_markup, st.data())
def test_any_alignment_keeps_all_tags_and_words(markup, data):
    document = MarkupDocument.parse(markup)
    translations = data.draw(random_translations(document.segments))
    joined = document.join(translations)
    assert is_nested(joined)
    assert Counter(tags_of(joined)) == Counter(tags_of(markup))
    for reference in ("&unk;", "&#0;"):
        assert joined.count(reference) == markup.count(reference)
    targets = "".join(target for target, _ in translations)
    texts = "".join(segment.text for segment in MarkupDocument.parse(joined).segments)
    assert re.sub(r"\s", "", texts) == re.sub(r"\s", "", targets)


@settings(max_examples=80)
@given(any_markup)
def test_any_markup(markup):
    try:
        document = MarkupDocument.parse(markup)
    except InputError:
        return
    joined = document.join([(segment.text, []) for segment in document.segments])
    assert Counter(tags_of(joined)) == Counter(tags_of(markup))
    assert Counter(words_of(joined)) == Counter(words_of(markup))


def test_placing_many_tags_takes_little_memory():
    count, size = 1000, 50
    text = " ".join(["w"] * count)
    words = [(2 * number, 2 * number + 1) for number in range(count)]
    parts = [
        AlignedPart(span, span, own, own, np.eye(size))
        for first in range(0, count, size)
        for own in [words[first : first + size]]
        for span in [(own[0][0], own[-1][1])]
    ]
    tags = [Tag(begin, end, "<b>", "</b>") for begin, end in words[::2]]
    tags += [Tag(begin, begin, "<x/>") for begin, _ in words[1::2]]
    tracemalloc.start()
    placed = place_tags(text, tags, text, parts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert placed == " ".join(["<b>w</b><x/> w"] * (count // 2))
    # Elements times words would be 4 million bytes.
    assert peak < 3_000_000


def test_what_ends_elements_ends_sentences():
    assert {*ENDED_BY} <= BLOCKS


def test_deep_and_long_markup():
    levels = 1000
    assert in_capitals("<b>" * levels + "x" + "</b>" * levels).count("<b>") == levels
    assert in_capitals("a" + "<b>" * levels + "x" + "</b>" * levels).count("<b>") == levels
    assert in_capitals("</b><i>" * levels) == "</b><i>" * levels


def test_tokens_of_two_tokenizers():
    actual = shared_characters([(0, 2), (2, 3), (3, 3)], [(0, 1), (1, 3)])
    expected = [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(actual, expected)
