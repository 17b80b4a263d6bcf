import os
import pickle

import pytest
from flavours import one_flavour
from hypothesis import example, given, settings
from text_vocabularies import DIFFICULT, any_text, byte_pairs, likely_text

from tfcompress.errors import InputError
from tfcompress.text import BytePairTokenizer
from tfcompress.text.byte_pair import byte_letters

pytestmark = one_flavour

KERAS_3 = os.environ.get("TF_USE_LEGACY_KERAS") != "1"
VOCABULARY, MERGES = byte_pairs()
SPECIAL = ["<s>", "<pad>", "</s>", "<mask>"]


def make(**options):
    return BytePairTokenizer(VOCABULARY, MERGES, special=["<mask>"], **options)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "prefix"])
def published(request):
    """Our tokenizer, and the published definition of GPT-2's."""
    library = pytest.importorskip("tokenizers")
    pairs = [tuple(merge.split(" ")) for merge in MERGES]
    theirs = library.Tokenizer(library.models.BPE(VOCABULARY, pairs))
    theirs.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=request.param)
    theirs.add_special_tokens(SPECIAL)
    return make(add_prefix_space=request.param), theirs


@settings(deadline=None, max_examples=200)
@given(text=likely_text | any_text)
@example("".join(DIFFICULT))
def test_ids_are_the_published_ones(published, text):
    ours, theirs = published
    assert ours.encode([text]) == [theirs.encode(text, add_special_tokens=False).ids]


def test_ids_are_those_of_keras_nlp():
    if not KERAS_3:
        pytest.skip("keras-nlp needs Keras 3")
    keras_nlp = pytest.importorskip("keras_nlp")
    # Inside TensorFlow; its path in Python splits numbers after three digits, unlike GPT-2.
    theirs = keras_nlp.tokenizers.RobertaTokenizer(VOCABULARY, MERGES, _allow_python_workflow=False)
    texts = [text for text in DIFFICULT if text and "\0" not in text]
    assert make().encode(texts) == [[*row] for row in theirs.tokenize(texts)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("the running", ["t", "h", "e", "Ġrunning"]),
        (" the\n\n\nrun", ["Ġthe", "ĊĊ", "Ċ", "run"]),
        (" 1234's", ["Ġ1234", "'s"]),
        ("a     b", ["a", "ĠĠ", "ĠĠ", "Ġ", "b"]),
        ("é<mask>", ["Ã©", "<mask>"]),
        ("ununun", ["unun", "un"]),
        ("<unk>", ["<", "un", "k", ">"]),
    ],
)
def test_pieces(text, pieces):
    names = {number: piece for piece, number in VOCABULARY.items()}
    (ids,) = make().encode([text])
    assert [names[number] for number in ids] == pieces


@given(text=likely_text | any_text)
def test_round_trip(text):
    tokenizer = make(special_in_text=False)
    assert tokenizer.decode(tokenizer.encode([text])) == [text]


def test_decoding_hides_special_pieces_and_mends_broken_bytes():
    tokenizer = make()
    broken = VOCABULARY[byte_letters()[0xE2]]
    ids = [0, *tokenizer.encode(["run"])[0], broken, broken, 2, 1, 1]
    assert tokenizer.decode([ids]) == ["run\ufffd\ufffd"]
    with pytest.raises(InputError, match="outside this tokenizer's 0 to"):
        tokenizer.decode([[len(VOCABULARY)]])


def test_unknown_bytes():
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, "a": 3, "<unk>": 4, "aa": 5}
    tokenizer = BytePairTokenizer(vocabulary, ["a a"])
    assert tokenizer.encode(["aaaé"]) == [[5, 3, 4, 4]]
    del vocabulary["<unk>"], vocabulary["aa"]
    with pytest.raises(InputError, match=r"255 missing, the first is 0x00. Add them, or name"):
        BytePairTokenizer(vocabulary, [], unk=None)


def test_without_special_pieces_in_texts():
    assert VOCABULARY["<mask>"] not in make(special_in_text=False).encode(["<mask>"])[0]


def test_pickled_and_loaded(tmp_path):
    tokenizer = make(add_prefix_space=True)
    again = pickle.loads(pickle.dumps(tokenizer))
    files = tokenizer.files()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "merges.txt").write_bytes(b"#version: 0.2\n" + files["merges.txt"])
    loaded = BytePairTokenizer.load(
        tmp_path / "vocabulary.json",
        tmp_path / "merges.txt",
        add_prefix_space=True,
        special=["<mask>"],
    )
    for other in (again, loaded):
        assert other.encode(DIFFICULT) == tokenizer.encode(DIFFICULT)
        assert other.settings() == tokenizer.settings()
        assert other.files() == files


@pytest.mark.parametrize(
    ("vocabulary", "merges", "message"),
    [
        (VOCABULARY, ["a zzz"], r"names or makes .*merge 0, 'a zzz', with 'zzz'"),
        (VOCABULARY, ["a z"], r"names or makes .*with 'az'"),
        (VOCABULARY, ["ab"], r"merge 0 is 'ab'; Give two pieces with a space between"),
        (VOCABULARY, ["a b c"], r"Give two pieces"),
        (VOCABULARY, ["u n", "u n"], r"is also merge 0. Give each once"),
        (VOCABULARY | {"new": 9999}, MERGES, r"none with the id \d+. Number them from 0"),
        (VOCABULARY | {"new": 5}, MERGES, r"none with the id"),
        (VOCABULARY | {"new": "5"}, MERGES, r"'new' with the id '5'"),
        (VOCABULARY | {"": len(VOCABULARY)}, MERGES, r"a piece must not be empty"),
        (VOCABULARY | {"\ud800": len(VOCABULARY)}, MERGES, r"'\\ud800', half a character"),
        (VOCABULARY | {3: len(VOCABULARY)}, MERGES, r"is int; give str"),
        (VOCABULARY, [("u", "n")], r"merge 0 is \('u', 'n'\); Give two pieces"),
        (["a"], [], r"Received: list. Give the id of every piece"),
        ({"a": 0}, [], r"lacks '<pad>', '<s>', '</s>', '<unk>'"),
    ],
)
def test_wrong_vocabularies(vocabulary, merges, message):
    with pytest.raises(InputError, match=message):
        BytePairTokenizer(vocabulary, merges)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": 0, "b": 1, "a": 1}'])
def test_no_json(tmp_path, text):
    (tmp_path / "vocab.json").write_text(text)
    (tmp_path / "merges.txt").write_text("")
    with pytest.raises(InputError, match=r"no JSON. .* Give a vocab\.json"):
        BytePairTokenizer.load(tmp_path / "vocab.json", tmp_path / "merges.txt")


def test_a_long_word_takes_no_longer_per_byte():
    tokenizer = make()
    assert len(tokenizer.encode(["un" * 100_000])[0]) == 50_000
