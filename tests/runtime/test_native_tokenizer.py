"""The C++ tokenizer gives exactly what the Python package sentencepiece gives."""

import ctypes
import io
import random
from functools import cache

import pytest
import sentencepiece
from flavours import one_flavour
from hypothesis import example, given, settings
from hypothesis import strategies as st
from native_tokenizers import NativeTokenizer
from sentencepiece import sentencepiece_model_pb2

from tfcompress.errors import InputError
from tfcompress.text.affixes import read_affixes, with_affixes

pytestmark = one_flavour

TEXT = """
the a man woman child dog dogs runs running ran through snowy streets with two red balls.
ein eine Mann Straße läuft über grüne Wiesen, während Kinder spielen! l'été où ça naïve cœur;
東京 都 は 日本 の 首都 です。 ﾊﾝｶｸ \uff21\uff22\uff23 \uff11\uff12 ﬁne ½ Ⅷ привет мир 👍 👩‍👩‍👧
e\u0301te\u0301 12 345 (x) <b> a@b.c aaaa aaaaaaa
"""
WORDS = TEXT.split()


def sentences(count):
    choose = random.Random(0)
    syllables = [a + b for a in ["", *"bdghlmnrst", "sch", "ß"] for b in [*"aeiouü", "en", "er"]]
    made_up = ["".join(choose.choices(syllables, k=choose.randint(1, 4))) for _ in range(300)]
    words = 4 * WORDS + made_up
    return [" ".join(choose.choices(words, k=choose.randint(2, 12))) for _ in range(count)]


SENTENCES = sentences(500)

OPTIONS = {
    "unigram": {},
    "unigram-bytes": {"byte_fallback": True, "vocab_size": 420},
    "unigram-identity": {"normalization_rule_name": "identity", "add_dummy_prefix": False},
    "unigram-casefold": {"normalization_rule_name": "nfkc_cf", "remove_extra_whitespaces": False},
    "unigram-suffix": {"treat_whitespace_as_suffix": True},
    "unigram-symbols": {
        "user_defined_symbols": ["<b>", "aa", "aaa", "the", "\uff21", " x", "\u2581dog", "e\u0301"],
        "control_symbols": ["<2de>"],
        "unk_surface": "?",
    },
    "bpe": {"model_type": "bpe"},
    "bpe-bytes": {"model_type": "bpe", "byte_fallback": True, "vocab_size": 420},
    "bpe-identity": {
        "model_type": "bpe",
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
    },
    "bpe-casefold": {"model_type": "bpe", "normalization_rule_name": "nfkc_cf"},
    "bpe-suffix": {
        "model_type": "bpe",
        "treat_whitespace_as_suffix": True,
        "remove_extra_whitespaces": False,
        "add_dummy_prefix": False,
    },
    "bpe-symbols": {
        "model_type": "bpe",
        "user_defined_symbols": ["<b>", "aa", "aaa", "the", "\uff21", " x", "\u2581dog", "e\u0301"],
        "control_symbols": ["<2de>"],
    },
}


@cache
def train(name):
    model = io.BytesIO()
    options = {"vocab_size": 300, "model_type": "unigram", "minloglevel": 2, **OPTIONS[name]}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=model, num_threads=1, **options
    )
    return model.getvalue()


def edited(name):
    """A trained model as a message that can be changed."""
    message = sentencepiece_model_pb2.ModelProto()
    message.ParseFromString(train(name))
    return message


def with_unused_pieces(name):
    """Every third long piece is unused, so that merges have to be undone."""
    message = edited(name)
    long = [
        piece for piece in message.pieces if piece.type == piece.NORMAL and len(piece.piece) > 2
    ]
    for piece in long[::3]:
        piece.type = piece.UNUSED
    return message


def with_equal_scores(name):
    message = edited(name)
    for piece in message.pieces:
        piece.score = -1 if piece.type == piece.NORMAL else 0
    return message


def with_extreme_scores(name):
    message = edited(name)
    choose = random.Random(1)
    for piece in message.pieces:
        piece.score = choose.choice([-3e4, -1e30, 0, -0.0, 5e4, 1.5])
    return message


def with_denormalizer(name):
    message = edited(name)
    message.denormalizer_spec.CopyFrom(edited("unigram-casefold").normalizer_spec)
    message.denormalizer_spec.add_dummy_prefix = False
    message.denormalizer_spec.escape_whitespaces = False
    return message


def with_plain_spaces(name):
    message = edited(name)
    message.normalizer_spec.escape_whitespaces = False
    for piece in message.pieces:
        piece.piece = (
            piece.piece.replace("\u2581", " ") if piece.type == piece.NORMAL else piece.piece
        )
    return message


def without_unknown(name):
    """Bytes stand for all that is unknown; a zero byte, as some converters add it, is not used."""
    message = edited(name)
    kept = [piece for piece in message.pieces if piece.type != piece.UNKNOWN]
    del message.pieces[:]
    message.pieces.extend(kept)
    message.pieces.add(piece="\0", score=-1)
    return message


EDITS = {
    f"{name}-{edit.__name__}": (edit, name)
    for edit, name in [
        (with_unused_pieces, "unigram"),
        (with_unused_pieces, "bpe"),
        (with_unused_pieces, "bpe-bytes"),
        (with_equal_scores, "unigram-symbols"),
        (with_equal_scores, "bpe-symbols"),
        (with_extreme_scores, "unigram"),
        (with_extreme_scores, "bpe"),
        (with_denormalizer, "unigram"),
        (with_plain_spaces, "unigram"),
        (without_unknown, "unigram-bytes"),
        (without_unknown, "bpe-bytes"),
    ]
}
MODELS = [*OPTIONS, *EDITS]


@cache
def model_bytes(name):
    if name in OPTIONS:
        return train(name)
    edit, trained = EDITS[name]
    return edit(trained).SerializeToString()


class Tokenizer(NativeTokenizer):
    def __init__(self, library, model):
        super().__init__(library, "tokenizer", model)


@pytest.fixture(scope="session")
def library(tokenizer_library):
    return tokenizer_library


@pytest.fixture(scope="module", params=MODELS)
def pair(request, library):
    """The tokenizer and the Python package's, for the same model."""
    model = model_bytes(request.param)
    tokenizer = Tokenizer(library, model)
    yield tokenizer, sentencepiece.SentencePieceProcessor(model_proto=model)
    tokenizer.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unigram", "bpe"])
def test_what_stands_around_texts(library, name):
    proto = with_affixes(model_bytes(name), ["</s>", "\u2581the"], ["\u2581man"])
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
    prefix, suffix = (
        [processor.piece_to_id(piece) for piece in side]
        for side in (["</s>", "\u2581the"], ["\u2581man"])
    )
    assert read_affixes(processor, name) == (tuple(prefix), tuple(suffix))
    tokenizer = Tokenizer(library, proto)
    for text in ("", "two dogs", "\u65e5\u672c <before></s>"):
        expected = [*prefix, *processor.encode(text), *suffix]
        assert tokenizer.encode(text.encode()) == expected
    tokenizer.close()


def test_pieces_around_texts_that_are_missing(library):
    proto = with_affixes(model_bytes("bpe"), ["nothing like it"])
    with pytest.raises(ValueError, match='lacks the piece that "<before>nothing like it'):
        Tokenizer(library, proto)
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
    with pytest.raises(InputError, match="'<before>nothing like it' only"):
        read_affixes(processor, "one")


FRAGMENTS = [
    *WORDS,
    *" \t\n\u2581\u3000\u00a0\u200b\0",
    *"aehtxÀßéü\u0301\u0308\u20dd\ufffd\uff21\uff76\uff9e㍿\ufdfa한\u1100\u1161",
    *["▁▁", "  ", "<unk>", "<s>", "<0x41>", "<2de>", "the", "aaaaa", "🤷🏽‍♀️", "🇩🇪", "\U0010ffff"],
]
BROKEN = [b"\x80", b"\xc3", b"\xe2\x96", b"\xf0\x9f\x91", b"\xed\xa0\x80", b"\xc0\x80", b"\xff"]

any_text = st.text(st.characters(codec="utf-8"), max_size=60)
likely_text = st.lists(st.sampled_from(FRAGMENTS) | any_text, max_size=30).map("".join)
pieces_of_bytes = st.sampled_from(BROKEN) | likely_text.map(str.encode) | st.binary(max_size=8)
broken_text = st.lists(pieces_of_bytes, max_size=10).map(b"".join)


@settings(max_examples=80)
@given(text=likely_text | any_text)
@example("")
@example(" ")
@example(" \u3000 \t")
@example("\u2581")
@example("\u2581 \u2581")
def test_text(pair, text):
    tokenizer, reference = pair
    ids = tokenizer.encode(text.encode())
    assert ids == reference.encode(text)
    assert tokenizer.decode(ids) == reference.decode(ids, return_type=bytes)
    # That of the package is in bytes where the text is.
    mapping = reference.encode(text.encode(), return_type="offset_mapping")
    assert tokenizer.encode_spans(text.encode()) == mapping["offsets"]


@settings(max_examples=50)
@given(text=broken_text)
def test_bytes_that_are_no_utf8(pair, text):
    tokenizer, reference = pair
    assert tokenizer.encode(text) == reference.encode(text)


@settings(max_examples=50)
@given(data=st.data())
def test_any_ids(pair, data):
    tokenizer, reference = pair
    few = st.integers(0, min(12, tokenizer.size() - 1))
    ids = data.draw(st.lists(few | st.integers(0, tokenizer.size() - 1), max_size=40))
    assert tokenizer.decode(ids) == reference.decode(ids, return_type=bytes)
    mapping = reference.decode(ids, return_type="offset_mapping", return_bytes=True)
    assert tokenizer.decode_spans(ids) == mapping["offsets"]


def test_sentences(pair):
    tokenizer, reference = pair
    assert tokenizer.size() == reference.get_piece_size()
    for text in [*SENTENCES[:50], " ".join(SENTENCES), "a" * 3000, "\u2581 " * 500, "é" * 999]:
        ids = tokenizer.encode(text.encode())
        assert ids == reference.encode(text)
        assert tokenizer.decode(ids) == reference.decode(ids, return_type=bytes)


@pytest.mark.parametrize("name", ["unigram", "bpe"])
def test_long_text_takes_no_longer_per_character(library, name):
    tokenizer = Tokenizer(library, model_bytes(name))
    reference = sentencepiece.SentencePieceProcessor(model_proto=model_bytes(name))
    for text in ["a" * 100_000, " ".join(SENTENCES)[:100_000], "\u4e00" * 100_000]:
        assert tokenizer.encode(text.encode()) == reference.encode(text)
    tokenizer.close()


def test_nothing_is_written_beyond_the_capacity(library):
    tokenizer = Tokenizer(library, model_bytes("unigram"))
    text = b"the man runs through snowy streets"
    ids = (ctypes.c_int32 * 3)(-7, -7, -7)
    error = ctypes.create_string_buffer(b"unchanged", 20)
    handle = tokenizer.handle
    count = library.tfc_tokenizer_encode(handle, text, len(text), ids, 2, error, 20)
    assert list(ids) == [*tokenizer.encode(text)[:2], -7]
    assert count == len(tokenizer.encode(text))
    read = ctypes.create_string_buffer(b"#####", 5)
    known = (ctypes.c_int32 * count)(*tokenizer.encode(text))
    assert library.tfc_tokenizer_decode(handle, known, count, read, 3, error, 20) == len(text)
    assert read.raw == b"the##"
    assert library.tfc_tokenizer_encode(handle, text, len(text), None, 0, error, 20) == count
    assert error.value == b"unchanged"
    tokenizer.close()


@pytest.mark.parametrize("wrong", [-1, 300, 2**31 - 1, -(2**31)])
def test_ids_out_of_range(library, wrong):
    tokenizer = Tokenizer(library, model_bytes("unigram"))
    with pytest.raises(ValueError, match=rf"Ids must be from 0 to 299.*Received: {wrong}\."):
        tokenizer.decode([5, wrong])
    tokenizer.close()


@pytest.mark.parametrize(("kind", "name"), [(3, "word"), (4, "char")])
def test_other_types_are_refused(library, kind, name):
    message = edited("unigram")
    message.trainer_spec.model_type = kind
    with pytest.raises(ValueError, match=rf"type unigram or bpe.*model_type={name}.*Train"):
        Tokenizer(library, message.SerializeToString())


def two_unknowns(message):
    message.pieces[5].type = message.pieces[0].type


def no_unknown(message):
    del message.pieces[0]


def repeated_piece(message):
    message.pieces[5].piece = message.pieces[6].piece


def empty_piece(message):
    message.pieces[5].piece = ""


def long_piece(message):
    message.pieces[5].piece = "x" * 8000


def zero_byte(message):
    message.pieces[5].piece = "a\0b"


def score_not_a_number(message):
    message.pieces[5].score = float("nan")


def unexpected_byte(message):
    message.pieces[5].piece = "<0x41>"
    message.pieces[5].type = message.pieces[5].BYTE


def short_map(message):
    message.normalizer_spec.precompiled_charsmap = b"\0\0"


def map_without_texts(message):
    message.normalizer_spec.precompiled_charsmap = b"\0\4\0\0" + bytes(1024)


def empty_trie(message):
    message.normalizer_spec.precompiled_charsmap = b"\0\4\0\0" + bytes(1025)


def map_without_end(message):
    message.normalizer_spec.precompiled_charsmap += b"x"


@pytest.mark.parametrize(
    "damage",
    [
        two_unknowns,
        no_unknown,
        repeated_piece,
        empty_piece,
        long_piece,
        zero_byte,
        score_not_a_number,
        unexpected_byte,
        short_map,
        map_without_texts,
        empty_trie,
        map_without_end,
    ],
)
def test_inconsistent_models(library, damage):
    message = edited("unigram")
    damage(message)
    model = message.SerializeToString()
    with pytest.raises(
        ValueError, match=r"The SentencePiece model cannot be used\. Received: .* again\."
    ):
        Tokenizer(library, model)
    with pytest.raises((RuntimeError, ValueError)):
        sentencepiece.SentencePieceProcessor(model_proto=model)


@pytest.mark.parametrize("model", [b"", b"\0", b"\x0a", b"\x0a\xff\xff\xff\xff\x0f", b"\xff" * 99])
def test_what_is_no_model(library, model):
    with pytest.raises(ValueError, match="cannot be used"):
        Tokenizer(library, model)


def use(library, model):
    """Opens a model that may be damaged, and uses it if it opens."""
    try:
        tokenizer = Tokenizer(library, model)
    except ValueError as error:
        assert "cannot be used" in str(error) or "unigram or bpe" in str(error)  # noqa: PT017
        return
    texts = [SENTENCES[0], "\uff21\uff22 ½ ﬁ \u3000 \u2581 👍 <b> aaaa", "\0\ufdfa"]
    for text in texts:
        assert isinstance(tokenizer.encode(text.encode()), list)
    assert isinstance(tokenizer.decode(list(range(tokenizer.size()))[:2000]), bytes)
    tokenizer.close()


@pytest.mark.parametrize("name", ["unigram-identity", "bpe-identity"])
def test_truncated_models(library, name):
    model = model_bytes(name)
    for size in range(len(model)):
        use(library, model[:size])


@pytest.mark.parametrize("name", ["unigram", "unigram-bytes", "bpe", "bpe-bytes", "bpe-identity"])
def test_altered_models(library, name):
    model = model_bytes(name)
    choose = random.Random(2)
    pieces_end = len(model_bytes("bpe-identity"))
    for _ in range(200):
        altered = bytearray(model)
        for _ in range(choose.randint(1, 3)):
            place = choose.choice([choose.randrange(pieces_end), choose.randrange(len(model))])
            altered[place] = choose.choice([0, 0x7F, 0x80, 0xFF, choose.randrange(256)])
        use(library, bytes(altered))


def test_altered_normalization(library):
    message = edited("unigram")
    charsmap = message.normalizer_spec.precompiled_charsmap
    choose = random.Random(3)
    for _ in range(150):
        altered = bytearray(charsmap)
        for _ in range(choose.randint(1, 20)):
            altered[choose.randrange(len(altered))] = choose.randrange(256)
        message.normalizer_spec.precompiled_charsmap = bytes(altered)
        use(library, message.SerializeToString())
