import sys
from pathlib import Path

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.export.tokenizers.character_trie import build_trie
from tfcompress.export.tokenizers.text_tokenizer_graph import make_text_tokenizer_graph
from tfcompress.export.tokenizers.tokenizer_graph import open_tokenizer_graph
from tfcompress.text import BytePairTokenizer, WordPieceTokenizer

sys.path.append(str(Path(__file__).parents[1] / "text"))
from text_vocabularies import DIFFICULT, WORDPIECES, byte_pairs

pytestmark = one_flavour

# Pieces within words that tensorflow-text would split, as case folding makes them.
PIECES = [*WORDPIECES, "##.", "##/", "##\u2044", "1\u20442", "##\u00a0b", "a\u00a0b", "##$", "##!"]
MODES = {"uncased": {}, "cased": {"lowercase": False}}


def run(graph, texts):
    runner = open_tokenizer_graph(graph).get_signature_runner("tokenize")
    actual = runner(text=np.array([text.encode() for text in texts]))
    assert actual["ids"].dtype == np.int32
    return [row.tolist() for row in np.split(actual["ids"], actual["row_splits"][1:-1])]


@pytest.fixture(scope="module", params=MODES)
def pair(request):
    """A tokenizer and its graph."""
    tokenizer = WordPieceTokenizer(PIECES, **MODES[request.param])
    graph, reason = make_text_tokenizer_graph(tokenizer)
    assert reason is None
    return tokenizer, graph


@pytest.mark.costly
def test_ids_are_those_of_the_tokenizer(pair):
    tokenizer, graph = pair
    # Jamo that are not yet syllables are joined by the tokenizer only.
    texts = [text for text in DIFFICULT if "\u1112" not in text]
    texts += [
        "℅ ½ 1½ ...…",
        "\uff045 a\uff04 \uff01",
        "a\u00a0b \u00a0",
        "be\u00a0b",
        "\ue000 \ue001x \uf8ff",
    ]
    assert run(graph, texts) == tokenizer.encode(texts)


def test_every_character(pair):
    tokenizer, graph = pair
    characters = [chr(code) for code in range(0x3000) if chr(code) not in "\u0345"]
    texts = [f"a{c}b {c} {c}" for c in characters if c.isprintable() or ord(c) < 256]
    assert run(graph, texts) == tokenizer.encode(texts)


def test_no_flex_operation(pair):
    _, graph = pair
    assert b"Flex" not in graph


@pytest.mark.slow
def test_without_a_graph():
    cases = [
        (BytePairTokenizer(*byte_pairs()), "converts no byte_pair tokenizer"),
        (WordPieceTokenizer(PIECES, special_in_text=True), "never recognizes special pieces"),
        (WordPieceTokenizer(PIECES, split_on_cjk=False), "always splits Chinese characters"),
        (WordPieceTokenizer([*PIECES, "##ï"], strip_accents=False), "unlike this tokenizer, as 'e"),
    ]
    for tokenizer, message in cases:
        graph, reason = make_text_tokenizer_graph(tokenizer)
        assert graph is None
        assert message in reason


def look_up(units, key):
    place, unit = 0, int(units[0])
    for byte in [*key, 0]:
        place ^= (unit >> 10) ^ byte
        if byte == 0:
            return int(units[place]) & 0x7FFFFFFF if unit >> 8 & 1 else None
        if place >= len(units) or int(units[place]) & 0x800000FF != byte:
            return None
        unit = int(units[place])


@settings(deadline=None)
@given(
    values=st.dictionaries(
        st.characters(codec="utf-8", exclude_characters="\0"), st.integers(0, 2**31 - 1), min_size=1
    ),
    others=st.lists(st.characters(codec="utf-8", exclude_characters="\0")),
)
def test_trie(values, others):
    units = build_trie(values)
    for character in [*values, *others]:
        assert look_up(units, character.encode()) == values.get(character)
