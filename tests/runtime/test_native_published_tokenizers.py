"""The C++ tokenizers give exactly the ids of published ones, which the package tokenizers runs."""

import sys
from pathlib import Path

import pytest
from flavours import one_flavour
from hypothesis import example, given, settings
from hypothesis import strategies as st
from minilm import needs_minilm
from native_tokenizers import open_text_tokenizer

from tfcompress.models import minilm_folder
from tfcompress.text import load_text_tokenizer

sys.path.append(str(Path(__file__).parents[1] / "text"))
from mixed_scripts import mixed_lines
from published_tokenizers import DEFINITIONS, TOKENS, published, sentencepiece_model, write
from text_vocabularies import DIFFICULT, any_text, likely_text

pytestmark = one_flavour


@pytest.fixture(scope="module")
def library(tokenizer_library):
    return tokenizer_library


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folders")
    files = {"spiece.model": sentencepiece_model(), "added_tokens.json": {"new word": 400}}
    cased = {"do_lower_case": False, "keep_accents": True}
    write(folder / "spiece", files)
    write(folder / "spiece-cased", files | {"tokenizer_config.json": cased})
    return {"spiece": folder / "spiece", "spiece-cased": folder / "spiece-cased"}


NAMES = [*DEFINITIONS, "spiece", "spiece-cased", pytest.param("minilm", marks=needs_minilm)]


@pytest.fixture(scope="module", params=NAMES)
def pair(request, library, folders):
    """The tokenizer in C++, and the one in Python."""
    name = request.param
    if name in DEFINITIONS:
        reference = published(name)
    else:
        reference = load_text_tokenizer(minilm_folder() if name == "minilm" else folders[name])
    tokenizer = open_text_tokenizer(library, reference.settings(), reference.files())
    yield tokenizer, reference
    tokenizer.close()


def check(pair, lines):
    tokenizer, reference = pair
    for line, expected in zip(lines, reference.encode(lines)):
        assert tokenizer.encode(line.encode()) == expected, repr(line)


def test_mixed_scripts(pair):
    check(pair, [*DIFFICULT, *mixed_lines(600, tokens=TOKENS)])


@pytest.mark.slow
def test_20000_lines_of_mixed_scripts(pair):
    check(pair, mixed_lines(20_000, seed=1, tokens=TOKENS))


@pytest.mark.slow
def test_every_character(pair):
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    for start in range(0, len(codes), 200):
        some = codes[start : start + 200]
        check(pair, ["".join(f"a{chr(code)}b {chr(code)} " for code in some)])


@settings(deadline=None, max_examples=40)
@given(text=likely_text | any_text)
@example("".join(DIFFICULT))
def test_text(pair, text):
    check(pair, [text])


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_any_ids(pair, data):
    tokenizer, reference = pair
    assert tokenizer.size() == reference.vocabulary_size
    few = st.integers(0, min(300, tokenizer.size() - 1))
    ids = data.draw(st.lists(few | st.integers(0, tokenizer.size() - 1), max_size=40))
    assert tokenizer.decode(ids).decode() == reference.decode([ids])[0]
