"""Markup, and translations of it that are aligned in any way."""

import re
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from tfcompress.runtime.tag_placement import AlignedPart

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])")

_WORDS = st.sampled_from([
    "dogs", "A", "&amp;", "\u00e9", ".", ",", " ", "  ", "\n", "\t", "&nbsp;", "&#160;", "&unk;",
    "\u4f60\u597d\u3002", "\u0301", "&lt;b&gt;", "a<3", "&#0;", "&", "\r\n", "1.5", '"', "!",
])  # fmt: skip
_NAMES = st.sampled_from(["b", "i", "a", "span", "x:y", "p", "div", "code", "pre", "B", "li", "td"])
_ALONE = st.sampled_from([
    "<br>", "<img src='a>b'>", "<x/>", "<!-- <b> -->", "<?php > ?>", "<hr/>", "<wbr>",
    "<title>a <b> &amp; c</Title >", "<textarea>\na </p <b></textarea>", "<script/>a<b></script>",
    "<script>if (a<b) '</b>'</SCRIPT >", "<style>p{}</style>", "<![CDATA[ <p> ]]>", "<!DOCTYPE a>",
])  # fmt: skip
_ATTRIBUTES = st.sampled_from(
    ["", " class=c", ' title="a > b"', " a = '\"'", " hidden", " translate='no'"]
)


def _element(content):
    return st.builds(
        lambda name, attributes, inner: f"<{name}{attributes}>{''.join(inner)}</{name}>",
        _NAMES,
        _ATTRIBUTES,
        st.lists(content, max_size=5),
    )


_content = st.recursive(_WORDS | _ALONE, _element, max_leaves=25)
_strays = st.sampled_from([
    "<b>", "</i>", "<p>", "</div>", "</pre>", "<pre>", "<code>", "</code>", "<title>", "</title>",
    "<textarea/>", "<style/>", "<tr>", "<td>", "<p translate=no>", "<li class='notranslate'>",
    "<td translate=NO>", "<span translate=no>", "<x translate=no/>", "<b translate=no>", "</b>",
    "<a translate=no>", "</a>", "</td>", "</p>", "<marquee>", "</marquee>",
])  # fmt: skip

nested_markup = st.lists(_content, max_size=8).map("".join)
any_markup = st.lists(_content | _strays | st.text("a <>/!-&;'\"=b", max_size=6), max_size=9).map(
    "".join
)


def token_spans(text, begin=0):
    """Tokens as SentencePiece has them: with the space before."""
    return [(begin + match.start(), begin + match.end()) for match in _TOKEN.finditer(text)]


def aligned(source, target, weights):
    """A translation of one part, and how it is aligned; `weights` may be pairs of tokens."""
    sources, targets = token_spans(source), token_spans(target)
    if isinstance(weights, list):
        pairs, weights = weights, np.zeros([len(targets), len(sources)], np.float32)
        for row, column in pairs:
            weights[row, column] = 1
    part = AlignedPart((0, len(source)), (0, len(target)), sources, targets, weights)
    return target, [part]


def word_for_word(segment):
    """The text in capitals as its translation."""
    pairs = [(number, number) for number, _ in enumerate(token_spans(segment.text))]
    return aligned(
        segment.text, "".join(c.upper() if c < "\x80" else c for c in segment.text), pairs
    )


@st.composite
def random_translations(draw, segments):
    """Some words for each segment, in one part or two, which are aligned at random."""
    words = st.lists(st.sampled_from(["ja", "(nein)", "\u4f60\u597d", "&", ".", "<b>"]), max_size=5)
    translations = []
    for segment in segments:
        text, random = segment.text, np.random.default_rng(draw(st.integers(0, 99)))
        cuts = [0, *draw(st.sets(st.integers(1, len(text)), max_size=1)), len(text)]
        target, alignment = "", []
        for begin, end in pairwise(cuts):
            part = " ".join(draw(words))
            place = len(target)
            sources = token_spans(text[begin:end], begin)
            targets = token_spans(part, place)
            weights = np.zeros((len(targets), len(sources)))
            if sources:
                weights[:] = random.dirichlet([0.1] * len(sources), len(targets))
            alignment.append(
                AlignedPart(
                    (begin, end),
                    (place, place + len(part)),
                    sources,
                    targets,
                    weights.astype(np.float32),
                )
            )
            target += f"{part} "
        translations.append((target, alignment))
    return translations
