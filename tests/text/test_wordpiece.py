import os
import pickle

import numpy as np
import pytest
from flavours import one_flavour
from hypothesis import example, given, settings
from text_vocabularies import DIFFICULT, WORDPIECES, any_text, likely_text

from tfcompress.errors import InputError
from tfcompress.text import WordPieceTokenizer

pytestmark = one_flavour

KERAS_3 = os.environ.get("TF_USE_LEGACY_KERAS") != "1"
OPTIONS = [
    {"lowercase": lowercase, "strip_accents": strip_accents, "special_in_text": special_in_text}
    for lowercase in (True, False)
    for strip_accents in (True, False)
    for special_in_text in (True, False)
]


def make(**options):
    return WordPieceTokenizer(WORDPIECES, special=["[MASK]"], **options)


@pytest.fixture(scope="module", params=OPTIONS, ids=lambda options: str([*options.values()]))
def pair(request):
    """Our tokenizer and keras-nlp's, in Python and inside TensorFlow."""
    if not KERAS_3:
        pytest.skip("keras-nlp needs Keras 3")
    keras_nlp = pytest.importorskip("keras_nlp")
    options = dict(request.param)
    ours = make(**options)
    options["special_tokens_in_strings"] = options.pop("special_in_text")
    theirs = [
        keras_nlp.tokenizers.BertTokenizer(WORDPIECES, **options, _allow_python_workflow=in_python)
        for in_python in (True, False)
    ]
    return ours, *theirs


@settings(deadline=None, max_examples=60)
@given(text=likely_text | any_text)
@example("".join(DIFFICULT))
def test_ids_are_those_of_keras_nlp(pair, text):
    ours, theirs, _ = pair
    assert ours.encode([text]) == [theirs.tokenize(text).tolist()]


def test_ids_are_those_of_keras_nlp_inside_tensorflow(pair):
    ours, _, theirs = pair
    # TensorFlow's path ends texts at a zero byte.
    texts = [text for text in DIFFICULT if "\0" not in text]
    assert ours.encode(texts) == theirs.tokenize(texts)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The RUNNING", ["the", "run", "##ning"]),
        ("unlievable", ["un", "##lie", "##va", "##b", "##l", "##e"]),
        ("naïve Café Straße", ["naive", "cafe", "strasse"]),
        ("runs,be!", ["runs", ",", "be", "!"]),
        ("日本", ["日", "本"]),
        ("be😀", ["[UNK]"]),
        ("x" * 101, ["[UNK]"]),
        ("a[MASK]", ["a", "[", "m", "##a", "##s", "##k", "]"]),
        ("it\u0000be\u00adit", ["it", "be", "it"]),
    ],
)
def test_pieces(text, pieces):
    tokenizer = make()
    (ids,) = tokenizer.encode([text])
    assert [WORDPIECES[number] for number in ids] == pieces


def test_special_pieces_in_texts():
    tokenizer = make(special_in_text=True)
    mask, unknown = WORDPIECES.index("[MASK]"), WORDPIECES.index("[UNK]")
    (ids,) = tokenizer.encode(["it[MASK]be [UNK]"])
    assert ids[1] == mask
    assert unknown not in ids


def test_chinese_may_stay_in_words():
    assert len(make().encode(["日本"])[0]) == 2
    (ids,) = make(split_on_cjk=False).encode(["日本"])
    assert [WORDPIECES[number] for number in ids] == ["日", "##本"]


def test_decoding():
    tokenizer = make()
    ids = tokenizer.encode(["The running, unbelievable!"])
    assert tokenizer.decode(ids) == ["the running , unbelievable !"]
    padded = np.array([tokenizer.start_id, *ids[0], tokenizer.end_id, 0, 0])
    assert tokenizer.decode([padded, []]) == ["the running , unbelievable !", ""]
    suffix = WORDPIECES.index("##s")
    assert tokenizer.decode([[suffix, suffix]]) == ["##ss"]
    with pytest.raises(InputError, match=r"text 1: ids from -1 to 3 .* use the tokenizer that"):
        tokenizer.decode([[1], [3, -1]])
    for wrong in ([1.5], [[1]], 1, [2**70], ["the"]):
        with pytest.raises(InputError, match=r"text 1 is no row of ids .* list of whole numbers"):
            tokenizer.decode([[1], wrong])


def test_strip_accents_follows_lowercase():
    assert make().strip_accents
    assert not make(lowercase=False).strip_accents
    assert make(lowercase=False, strip_accents=True).strip_accents


def test_pickled(tmp_path):
    tokenizer = make(lowercase=False, special_in_text=True)
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.encode(DIFFICULT) == tokenizer.encode(DIFFICULT)
    assert again.settings() == tokenizer.settings()


def test_load(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes("\r\n".join(WORDPIECES).encode())
    assert WordPieceTokenizer.load(path).pieces == WORDPIECES
    path.write_bytes(b"[PAD]\n\xff")
    with pytest.raises(InputError, match=r"vocab\.txt: byte 6 is not UTF-8"):
        WordPieceTokenizer.load(path)
    with pytest.raises(InputError, match=r"No such file .*missing\.txt. Give the published file"):
        WordPieceTokenizer.load(tmp_path / "missing.txt")


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([], r"0 pieces without '\[PAD\]', '\[UNK\]', '\[CLS\]', '\[SEP\]'. Add what is missing"),
        (WORDPIECES[1:], r"lacks '\[PAD\]'; add"),
        ([*WORDPIECES, "the"], r"'the', which is also piece 5. Give each once"),
        ([*WORDPIECES, ""], r"must not be empty.*, ''"),
        ([*WORDPIECES, "them "], r"is 'them '; .* nor white space at its end"),
        ([*WORDPIECES, "\ud800"], r"lone surrogate"),
        ([*WORDPIECES, "a\nb"], r"line break"),
        ([*WORDPIECES, 7], r"is int; give str"),
        ("vocab.txt", r"one string. Give a list, or a path to WordPieceTokenizer\.load"),
    ],
)
def test_wrong_vocabularies(pieces, message):
    with pytest.raises(InputError, match=message):
        WordPieceTokenizer(pieces)


@pytest.mark.parametrize(
    ("texts", "message"),
    [("text", "one string"), ([3], "text 0 is int"), (["\ud800"], "lone surrogate")],
)
def test_wrong_texts(texts, message):
    with pytest.raises(InputError, match=message):
        make().encode(texts)


def test_a_long_text_takes_no_longer_per_character():
    tokenizer = make()
    assert len(tokenizer.encode(["the " * 100_000])[0]) == 100_000
    assert tokenizer.encode(["é" * 1_000_000]) == [[tokenizer.unk_id]]
