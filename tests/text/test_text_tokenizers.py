import json
import os
import pickle

import numpy as np
import pytest
from flavours import one_flavour
from text_vocabularies import DIFFICULT, WORDPIECES, albert_sentencepiece, byte_pairs

from tfcompress.errors import InputError
from tfcompress.text import (
    BytePairTokenizer,
    SentencePieceTokenizer,
    WordPieceTokenizer,
    encode_texts,
    load_text_tokenizer,
    text_tokenizer,
    tokenizer_from_keras_nlp,
)

pytestmark = one_flavour

KERAS_3 = os.environ.get("TF_USE_LEGACY_KERAS") != "1"
TEXTS = [text for text in DIFFICULT if text and "\0" not in text]


def albert_model():
    """A SentencePiece model with ALBERT's special ids."""
    lines = ["the man runs", "it runs and runs", "two men run"] * 9
    return albert_sentencepiece(lines, 60)


@pytest.fixture(scope="module")
def tokenizers():
    return {
        "wordpiece": WordPieceTokenizer(WORDPIECES, lowercase=False, special=["[MASK]"]),
        "byte_pair": BytePairTokenizer(*byte_pairs(), special=["<mask>"]),
        "sentencepiece": SentencePieceTokenizer(albert_model(), special=["[MASK]"]),
    }


KINDS = ["wordpiece", "byte_pair", "sentencepiece"]


@pytest.mark.parametrize("kind", KINDS)
def test_made_again_from_settings_and_files(tokenizers, kind):
    tokenizer = tokenizers[kind]
    assert tokenizer.tokenizer_type == kind
    settings = json.loads(json.dumps(tokenizer.settings()))
    again = text_tokenizer(settings, tokenizer.files())
    assert type(again) is type(tokenizer)
    for other in (again, pickle.loads(pickle.dumps(tokenizer))):
        assert other.encode(TEXTS) == tokenizer.encode(TEXTS)
        assert other.settings() == tokenizer.settings()
        assert other.files() == tokenizer.files()
        assert other.vocabulary_size == tokenizer.vocabulary_size


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("wordpiece", {"tokenizer_type": "words"}, r"one of wordpiece, byte_.*'words'"),
        ("wordpiece", {"pad_id": 99_999}, r"special id is none of the vocabulary.*99999"),
        ("wordpiece", {"unk_id": None}, r"none of the vocabulary. Received: None"),
        ("byte_pair", {"end_id": True}, r"none of the vocabulary. Received: True"),
        ("sentencepiece", {"special_ids": [-1]}, r"none of the vocabulary. Received: -1"),
    ],
)
def test_wrong_settings(tokenizers, kind, changes, message):
    tokenizer = tokenizers[kind]
    with pytest.raises(InputError, match=message):
        text_tokenizer(tokenizer.settings() | changes, tokenizer.files())


@pytest.mark.parametrize("kind", KINDS)
def test_missing_settings_and_files(tokenizers, kind):
    tokenizer = tokenizers[kind]
    settings, files = tokenizer.settings(), tokenizer.files()
    for name in set(settings) - {"tokenizer_type"}:
        rest = {key: value for key, value in settings.items() if key != name}
        with pytest.raises(InputError, match=rf"{kind} without {name}. Give what settings"):
            text_tokenizer(rest, files)
    for name in files:
        rest = {key: value for key, value in files.items() if key != name}
        with pytest.raises(InputError, match=rf"without {name}. Give"):
            text_tokenizer(settings, rest)
        with pytest.raises(InputError):
            text_tokenizer(settings, files | {name: b"\xff\xfe"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokenizer_type": []}, r"must be one of .*\[\]"),
        ({"lowercase": "no"}, "true or false.*lowercase='no'"),
        ({"special_ids": None}, "list of ids.*None"),
    ],
)
def test_settings_of_wrong_types(tokenizers, changes, message):
    tokenizer = tokenizers["wordpiece"]
    with pytest.raises(InputError, match=message):
        text_tokenizer(tokenizer.settings() | changes, tokenizer.files())
    with pytest.raises(InputError, match="Give what settings"):
        text_tokenizer(None, tokenizer.files())


def test_encode_texts(tokenizers):
    tokenizer = tokenizers["wordpiece"]
    rows = tokenizer.encode(["it runs", "it", "un" * 20])
    ids, lengths = encode_texts(tokenizer, ["it runs", "it", "un" * 20], max_length=6)
    start, end, pad = tokenizer.start_id, tokenizer.end_id, tokenizer.pad_id
    assert ids.dtype == lengths.dtype == np.int32
    assert lengths.tolist() == [4, 3, 6]
    assert ids.tolist() == [
        [start, *rows[0], end, pad, pad],
        [start, *rows[1], end, pad, pad, pad],
        [start, *rows[2][:4], end],
    ]
    with pytest.raises(InputError, match=r"longer than 6 ids, .* text 2 with \d+ ids. Shorten it"):
        encode_texts(tokenizer, ["it runs", "it", "un" * 20], max_length=6, too_long="error")
    ids, lengths = encode_texts(tokenizer, [], max_length=6)
    assert ids.shape == (0, 0)
    assert lengths.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_length": 1}, "no room for begin and end. Received: 1"),
        ({"max_length": "8"}, "no room .*'8'"),
        ({"max_length": 9, "too_long": "wrap"}, "must be one of cut, error. Received: 'wrap'"),
    ],
)
def test_wrong_arguments(tokenizers, arguments, message):
    with pytest.raises(InputError, match=message):
        encode_texts(tokenizers["wordpiece"], ["it"], **arguments)


def test_sentencepiece_ids(tokenizers):
    tokenizer = tokenizers["sentencepiece"]
    ids = tokenizer.pad_id, tokenizer.unk_id, tokenizer.start_id, tokenizer.end_id
    assert ids == (0, 1, 2, 3)
    assert (tokenizer.bos_id, tokenizer.eos_id) == (2, 3)
    (row,) = tokenizer.encode(["it runs"])
    assert tokenizer.decode([[2, *row, 3, 0, 0]]) == ["it runs"]
    with pytest.raises(InputError, match=r"pieces without '<s>'. Add what is missing"):
        SentencePieceTokenizer(albert_model(), start="<s>")
    with pytest.raises(InputError, match="no SentencePiece model"):
        SentencePieceTokenizer(b"")


def test_folders_without_a_tokenizer(tmp_path):
    message = r"has no tokenizer.*Give one with tokenizer\.json, with vocab\.txt"
    with pytest.raises(InputError, match=message):
        load_text_tokenizer(tmp_path)


def keras_tokenizers():
    if not KERAS_3:
        pytest.skip("keras-nlp needs Keras 3")
    keras_nlp = pytest.importorskip("keras_nlp")
    return {
        "bert": keras_nlp.tokenizers.BertTokenizer(WORDPIECES, lowercase=True),
        "bert-special": keras_nlp.tokenizers.BertTokenizer(
            WORDPIECES, strip_accents=True, special_tokens_in_strings=True
        ),
        "distil": keras_nlp.tokenizers.DistilBertTokenizer(WORDPIECES, lowercase=True),
        # Its path in Python splits as another model's tokenizer, unlike the one in training.
        "roberta": keras_nlp.tokenizers.RobertaTokenizer(
            *byte_pairs(), _allow_python_workflow=False
        ),
        "albert": keras_nlp.tokenizers.AlbertTokenizer(albert_model()),
    }


@pytest.mark.parametrize("name", ["bert", "bert-special", "distil", "roberta", "albert"])
def test_taken_over_from_keras_nlp(name, tmp_path):
    theirs = keras_tokenizers()[name]
    ours = tokenizer_from_keras_nlp(theirs)
    expected = [np.asarray(row).tolist() for row in theirs.tokenize(TEXTS)]
    assert ours.encode(TEXTS) == expected
    assert (ours.pad_id, ours.start_id) == (theirs.pad_token_id, theirs.start_token_id)
    assert (ours.end_id, ours.vocabulary_size) == (theirs.end_token_id, theirs.vocabulary_size())
    theirs.save_to_preset(str(tmp_path / "preset"))
    saved = load_text_tokenizer(tmp_path / "preset")
    assert saved.encode(TEXTS) == expected
    assert saved.tokenizer_type == ours.tokenizer_type


def test_what_cannot_be_taken_over():
    if not KERAS_3:
        pytest.skip("keras-nlp needs Keras 3")
    keras_nlp = pytest.importorskip("keras_nlp")
    make = keras_nlp.tokenizers.WordPieceTokenizer
    for options, message in [
        ({"split": False}, r"split=False. Make it with split=True"),
        ({"suffix_indicator": "@@"}, r"suffix_indicator='@@'"),
    ]:
        with pytest.raises(InputError, match=message):
            tokenizer_from_keras_nlp(make(WORDPIECES, **options))
    with pytest.raises(InputError, match="has no vocabulary yet"):
        tokenizer_from_keras_nlp(make())
    with pytest.raises(InputError, match=r"lacks '\[PAD\]', '\[CLS\]', '\[SEP\]'"):
        tokenizer_from_keras_nlp(make(["[UNK]", "a"]))
    with pytest.raises(InputError, match="str is no tokenizer that can be taken over"):
        tokenizer_from_keras_nlp("bert_base_en")
