"""The C++ tokenizers of text encoders give exactly the ids of those in Python."""

import json
import random
import sys
import unicodedata
from pathlib import Path

import pytest
from flavours import one_flavour
from hypothesis import example, given, settings
from hypothesis import strategies as st
from native_tokenizers import NativeTokenizer, open_text_tokenizer

from tfcompress.text import BytePairTokenizer, SentencePieceTokenizer, WordPieceTokenizer

sys.path.append(str(Path(__file__).parents[1] / "text"))
from text_vocabularies import (
    DIFFICULT,
    WORDPIECES,
    albert_sentencepiece,
    any_text,
    byte_pairs,
    likely_text,
)

pytestmark = one_flavour

CHARACTERS = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in ("Cs", "Cn", "Co")
]


def sentencepiece_model():
    lines = [f"the man {word} runs" for word in WORDPIECES]
    return albert_sentencepiece(lines, 150)


def every_character():
    """A vocabulary that spells every word, so that no difference hides behind an unknown word."""
    printed = [c for c in CHARACTERS if c.strip()]
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *printed, *(f"##{c}" for c in printed)]


TOKENIZERS = {
    "wordpiece": lambda: WordPieceTokenizer(WORDPIECES, special=["[MASK]"]),
    "cased": lambda: WordPieceTokenizer(WORDPIECES, lowercase=False),
    "accents": lambda: WordPieceTokenizer(
        WORDPIECES, strip_accents=False, special_in_text=True, special=["[MASK]"]
    ),
    "without-accents": lambda: WordPieceTokenizer(
        WORDPIECES, lowercase=False, strip_accents=True, split_on_cjk=False
    ),
    "characters": lambda: WordPieceTokenizer(every_character()),
    "characters-accents": lambda: WordPieceTokenizer(every_character(), strip_accents=False),
    "byte-pair": lambda: BytePairTokenizer(*byte_pairs(), special=["<mask>"]),
    "byte-pair-prefix": lambda: BytePairTokenizer(
        *byte_pairs(), add_prefix_space=True, special_in_text=False
    ),
    "sentencepiece": lambda: SentencePieceTokenizer(sentencepiece_model(), special=["[MASK]"]),
}


@pytest.fixture(scope="module")
def library(tokenizer_library):
    return tokenizer_library


@pytest.fixture(scope="module", params=TOKENIZERS)
def pair(request, library):
    """The tokenizer in C++, and the one in Python."""
    reference = TOKENIZERS[request.param]()
    tokenizer = open_text_tokenizer(library, reference.settings(), reference.files())
    yield tokenizer, reference
    tokenizer.close()


@settings(deadline=None, max_examples=150)
@given(text=likely_text | any_text)
@example("".join(DIFFICULT))
def test_text(pair, text):
    tokenizer, reference = pair
    (expected,) = reference.encode([text])
    assert tokenizer.encode(text.encode()) == expected
    assert tokenizer.decode(expected).decode() == reference.decode([expected])[0]


@settings(deadline=None, max_examples=80)
@given(parts=st.lists(st.binary(max_size=6) | likely_text.map(str.encode), max_size=6))
@example([b"a\xe2\x82", b"b\xf0\x9f\x91", b"\xed\xa0\x80\xc0\x80\xf4\x90\x80\x80\xff"])
def test_bytes_that_are_no_utf8(pair, parts):
    tokenizer, reference = pair
    if reference.tokenizer_type == "sentencepiece":
        return
    text = b"".join(parts)
    assert tokenizer.encode(text) == reference.encode([text.decode(errors="replace")])[0]


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_any_ids(pair, data):
    tokenizer, reference = pair
    assert tokenizer.size() == reference.vocabulary_size
    few = st.integers(0, min(300, tokenizer.size() - 1))
    ids = data.draw(st.lists(few | st.integers(0, tokenizer.size() - 1), max_size=40))
    assert tokenizer.decode(ids).decode() == reference.decode([ids])[0]


@pytest.mark.costly
@pytest.mark.parametrize("name", ["characters", "characters-accents", "byte-pair"])
def test_every_character(library, name):
    reference = TOKENIZERS[name]()
    tokenizer = open_text_tokenizer(library, reference.settings(), reference.files())
    for start in range(0, len(CHARACTERS), 500):
        text = "".join(f"a{c}b {c} " for c in CHARACTERS[start : start + 500])
        assert tokenizer.encode(text.encode(), 10_000) == reference.encode([text])[0]
    tokenizer.close()


def test_marks_in_any_order(pair):
    tokenizer, reference = pair
    marks = [c for c in CHARACTERS if unicodedata.combining(c)] + list("aÅ가\u1100\u1161\u11a8ﬁ")
    choose = random.Random(0)
    for _ in range(300):
        text = "".join(choose.choices(marks, k=20))
        assert tokenizer.encode(text.encode()) == reference.encode([text])[0]


@pytest.mark.parametrize("text", ["un" * 99_999, "é" * 99_999, "the " * 99_999, "\u0323" * 9999])
def test_long_text_takes_no_longer_per_character(library, text):
    for name in ("wordpiece", "byte-pair"):
        reference = TOKENIZERS[name]()
        tokenizer = open_text_tokenizer(library, reference.settings(), reference.files())
        assert tokenizer.encode(text.encode(), 1_000_000) == reference.encode([text])[0]
        tokenizer.close()


@pytest.mark.parametrize("wrong", [-1, 2**31 - 1, -(2**31)])
def test_ids_out_of_range(library, wrong):
    reference = TOKENIZERS["wordpiece"]()
    tokenizer = open_text_tokenizer(library, reference.settings(), reference.files())
    with pytest.raises(ValueError, match=rf"Ids must be from 0 to .*Received: {wrong}\."):
        tokenizer.decode([5, wrong])
    tokenizer.close()


def opened(library, name, files=None, **changes):
    """Opens a tokenizer with other settings or files."""
    reference = TOKENIZERS[name]()
    settings = reference.settings() | changes
    settings = {key: value for key, value in settings.items() if value != "missing"}
    return open_text_tokenizer(library, settings, reference.files() | (files or {}))


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("wordpiece", {"tokenizer_type": "characters"}, r'its tokenizer_type is "characters"'),
        ("wordpiece", {"tokenizer_type": "missing"}, "its setting tokenizer_type is missing"),
        ("wordpiece", {"lowercase": 1}, "its setting lowercase is no boolean"),
        ("wordpiece", {"lowercase": "missing"}, "its setting lowercase is missing"),
        ("wordpiece", {"unk_id": None}, "its setting unk_id is no whole number"),
        ("wordpiece", {"pad_id": -1}, "its setting pad_id has the id -1"),
        ("wordpiece", {"pad_id": 99_999}, "name the special id 99999, but its vocabulary has"),
        ("wordpiece", {"special_ids": [99_999]}, "name the special id 99999"),
        ("wordpiece", {"special_ids": [True]}, "special_ids has what is no whole number"),
        ("wordpiece", {"special_ids": 5}, "special_ids is no array"),
        ("wordpiece", {"files": {"vocabulary.txt": b""}}, "has 0 pieces"),
        ("wordpiece", {"files": {"vocabulary.txt": b"a\nb\n\nc"}}, "piece 2 is empty"),
        ("wordpiece", {"files": {"vocabulary.txt": b"a\nb\na"}}, "piece 2 is there twice"),
        ("wordpiece", {"files": {"vocabulary.txt": b"a\n\xff"}}, "no UTF-8 at byte 2"),
        ("byte-pair", {"files": {"merges.txt": b"a zzz"}}, "merge 0 names a piece that"),
        ("byte-pair", {"files": {"merges.txt": b"a z"}}, "merge 0 makes a piece that"),
        ("byte-pair", {"files": {"merges.txt": b"u n\nu n"}}, "merge 1 is there twice"),
        ("byte-pair", {"files": {"merges.txt": b"un"}}, "merge 0 is no pair"),
        ("byte-pair", {"files": {"vocabulary.json": b"[]"}}, "no JSON object"),
        ("byte-pair", {"files": {"vocabulary.json": b'{"a": 1}'}}, "no id of its own below 1"),
        ("byte-pair", {"files": {"vocabulary.json": b'{"a": 0, "b": 0}'}}, "no id of its own"),
        ("byte-pair", {"files": {"vocabulary.json": b'{"a": "0"}'}}, "no id of its own"),
        ("byte-pair", {"unk_id": None, "files": {"vocabulary.json": b'{"a": 0}'}}, "the byte 0"),
        ("sentencepiece", {"start_id": 1_000_000}, "name the special id 1000000"),
    ],
)
def test_what_cannot_be_used(library, name, changes, message):
    with pytest.raises(ValueError, match=rf"cannot be used\. Received: .*{message}.*again\."):
        opened(library, name, **changes)


def test_settings_that_are_no_json(library):
    for text in (b"", b"{", b"[]", b"3"):
        with pytest.raises(ValueError, match=r"JSON|object"):
            NativeTokenizer(library, "text_tokenizer", text, b"a", None)


def test_number_of_files(library):
    reference = TOKENIZERS["byte-pair"]()
    settings = json.dumps(reference.settings()).encode()
    with pytest.raises(ValueError, match="it has 1 files"):
        NativeTokenizer(library, "text_tokenizer", settings, b"{}", None)


@pytest.mark.parametrize("name", ["wordpiece", "byte-pair"])
def test_altered_files(library, name):
    """Whatever is in a file, the tokenizer is refused or works."""
    reference = TOKENIZERS[name]()
    choose = random.Random(1)
    for _ in range(150):
        files = {key: bytearray(content) for key, content in reference.files().items()}
        for content in files.values():
            for _ in range(choose.randint(0, 2)):
                content[choose.randrange(len(content))] = choose.choice(b'\0\n\r "\x80\xff{}#a')
            if choose.random() < 0.2:
                del content[choose.randrange(len(content)) :]
        files = {key: bytes(content) for key, content in files.items()}
        try:
            tokenizer = open_text_tokenizer(library, reference.settings(), files)
        except ValueError as error:
            assert str(error)  # noqa: PT017
            continue
        for text in DIFFICULT:
            ids = tokenizer.encode(text.encode())
            assert isinstance(tokenizer.decode(ids), bytes)
        tokenizer.close()
