import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest
import sentencepiece
from flavours import one_flavour
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcompress.errors import InputError, InputWarning
from tfcompress.text.tokenizer import Tokenizer, train_tokenizer

pytestmark = one_flavour

SUBJECTS = ["a man", "two dogs", "the old woman", "ein mann", "zwei hunde", "die alte frau"]
VERBS = ["plays with", "looks at", "runs after", "spielt mit", "sieht", "läuft hinter"]
OBJECTS = ["a red ball .", "the children !", "einem roten ball .", "den großen bäumen , hier"]
SENTENCES = [f"{s} {v} {o}" for s in SUBJECTS for v in VERBS for o in OBJECTS]
SIZES = {"bpe": 150, "unigram": 60}
KINDS = [(model, rule) for model in SIZES for rule in ("nmt_nfkc", "identity")]

# Letters of the vocabulary, and the characters that normalizers and piece markers care about.
texts = st.text(
    st.sampled_from(list("abehnorstäß .,!"))
    | st.sampled_from(list("\t\x00\u2581\u3000ﬁe\u0301\ufeff"))
    | st.characters(codec="utf-8")
)


def train(path, sentences=SENTENCES, *, model_type="bpe", vocabulary_size=None, **options):
    size = vocabulary_size or SIZES[model_type]
    return train_tokenizer(
        sentences, vocabulary_size=size, path=path, model_type=model_type, **options
    )


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def tokenizer(request, tmp_path_factory):
    model_type, normalization = request.param
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    return train(path, model_type=model_type, normalization=normalization)


def rows(flat, row_splits):
    assert (flat.dtype, row_splits.dtype) == (np.int32, np.int64)
    assert row_splits[0] == 0
    return [flat[start:end].tolist() for start, end in itertools.pairwise(row_splits)]


def test_special_ids_and_size(tokenizer):
    ids = tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.unk_id
    assert ids == (0, 1, 2, 3)
    assert tokenizer.vocabulary_size in SIZES.values()


def test_word_starts(tokenizer):
    starts = tokenizer.word_starts
    assert starts.shape == (tokenizer.vocabulary_size,)
    assert starts[tokenizer.eos_id]
    for sentence in SENTENCES[:20]:
        (ids,) = tokenizer.encode([sentence])
        assert starts[ids].sum() == len(sentence.split())


def test_round_trip(tokenizer):
    ids = tokenizer.encode(SENTENCES)
    assert tokenizer.decode(ids) == SENTENCES
    assert min(map(min, ids)) > 3
    assert max(map(max, ids)) < tokenizer.vocabulary_size
    padded = [np.array([1, *row, 2, 0, 0]) for row in ids]
    assert tokenizer.decode(padded) == SENTENCES


@given(words=st.lists(st.text("abehnorst", min_size=1), min_size=1))
def test_round_trip_of_free_text_in_the_alphabet(tokenizer, words):
    sentence = " ".join(words)
    assert tokenizer.decode(tokenizer.encode([sentence])) == [sentence]


@settings(deadline=None, max_examples=25)
@given(sentences=st.lists(texts, max_size=40))
def test_tensorflow_text_gives_the_same_ids(tokenizer, sentences):
    assert rows(*tokenizer.encode_corpus(sentences)) == tokenizer.encode(sentences)


def test_encode_corpus_keeps_order_over_batches(tokenizer):
    sentences = SENTENCES * 20 + [""]
    assert rows(*tokenizer.encode_corpus(sentences)) == tokenizer.encode(sentences)


def test_nothing_gives_nothing(tokenizer):
    assert tokenizer.encode([]) == tokenizer.decode([]) == []
    assert tokenizer.encode(["", "  "]) == [[], []]
    assert tokenizer.decode([[], []]) == ["", ""]
    assert rows(*tokenizer.encode_corpus([])) == []


def test_tokenize_dataset(tokenizer):
    import tensorflow as tf

    lines = tf.data.Dataset.from_tensor_slices(SENTENCES[:5])
    dataset = tokenizer.tokenize_dataset(lines.batch(2))
    assert isinstance(dataset.element_spec, tf.RaggedTensorSpec)
    assert dataset.element_spec.dtype == tf.int32
    assert [row for batch in dataset for row in batch.to_list()] == tokenizer.encode(SENTENCES[:5])
    single = tokenizer.tokenize_dataset(lines)
    assert [row.numpy().tolist() for row in single] == tokenizer.encode(SENTENCES[:5])


@pytest.mark.parametrize("model_type", SIZES)
def test_training_is_deterministic_and_leaves_one_file(tmp_path, model_type):
    first = train(tmp_path / "a.model", model_type=model_type)
    second = train(tmp_path / "b.model", iter(SENTENCES), model_type=model_type)
    assert first.proto == second.proto == (tmp_path / "a.model").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.model", "b.model"}


def test_same_tokenizer_from_path_bytes_and_pickle(tmp_path):
    trained = train(tmp_path / "a.model")
    copies = Tokenizer(tmp_path / "a.model"), Tokenizer(trained.proto)
    for copy in (
        *copies,
        Tokenizer(str(tmp_path / "a.model")),
        pickle.loads(pickle.dumps(trained)),
    ):
        assert copy.proto == trained.proto
        assert copy.encode(SENTENCES) == trained.encode(SENTENCES)


def test_normalization(tmp_path):
    folded = train(tmp_path / "a.model", normalization="nmt_nfkc")
    kept = train(tmp_path / "b.model", normalization="identity")
    assert folded.encode(["\uff54\uff57\uff4f dogs"]) == folded.encode(["two dogs"])
    assert kept.encode(["\uff54\uff57\uff4f dogs"]) != kept.encode(["two dogs"])


def test_every_character_is_covered_even_in_long_sentences(tmp_path):
    long = "ab " * 3000 + "ж"
    tokenizer = train(tmp_path / "a.model", [*SENTENCES, long])
    assert tokenizer.unk_id not in tokenizer.encode(["ж"])[0]


def test_sentences_that_sentencepiece_leaves_out_are_counted(tmp_path):
    unusable = ["two \u2585 dogs", "two\0 dogs"]
    with pytest.warns(InputWarning, match=f"2 of {len(SENTENCES) + 2} sentences are left out"):
        train(tmp_path / "a.model", [*SENTENCES, *unusable])


@pytest.mark.parametrize("model_type", SIZES)
def test_vocabulary_that_does_not_fit_names_the_limit(tmp_path, model_type):
    corpus = ["a b c"] * 5
    message = r"too large .*vocabulary_size=5000. Give at most (\d+)"
    with pytest.raises(InputError, match=message) as error:
        train(tmp_path / "a.model", corpus, model_type=model_type, vocabulary_size=5000)
    most = int(str(error.value).split("at most ")[1].split(",")[0])
    tokenizer = train(tmp_path / "b.model", corpus, model_type=model_type, vocabulary_size=most)
    assert tokenizer.vocabulary_size == most
    with pytest.raises(InputError, match=r"too small .*vocabulary_size=6. Give at least 8"):
        train(tmp_path / "a.model", corpus, model_type=model_type, vocabulary_size=6)
    assert {path.name for path in tmp_path.iterdir()} == {"b.model"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sentences": []}, "no text"),
        ({"sentences": ["", "  "]}, "no text"),
        ({"sentences": ["\x00"]}, "cannot be trained|too large"),
        ({"sentences": "one string"}, "one string"),
        ({"sentences": ["a", b"b"]}, "sentence 1 is bytes"),
        ({"sentences": ["a", "\ud800"]}, "lone surrogate"),
        ({"model_type": "word"}, "must be one of bpe, unigram"),
        ({"normalization": "nfc"}, "must be one of nmt_nfkc, identity"),
        ({"vocabulary_size": 4}, "vocabulary_size=4"),
        ({"vocabulary_size": -1}, "vocabulary_size=-1"),
    ],
)
def test_bad_training_options(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    defaults = {"sentences": SENTENCES, "vocabulary_size": 150, "path": "a.model"}
    with pytest.raises(InputError, match=message):
        train_tokenizer(**{**defaults, **options})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cut", [0, 100, -20])
def test_damaged_models(tmp_path, cut):
    proto = train(tmp_path / "a.model").proto
    (tmp_path / "b.model").write_bytes(proto[:cut])
    for model in (proto[:cut], tmp_path / "b.model"):
        with pytest.raises(InputError, match="no SentencePiece model"):
            Tokenizer(model)


def test_other_files_and_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"tokenizer .*missing\.model: No such file"):
        Tokenizer(tmp_path / "missing.model")
    with pytest.raises(InputError, match="no SentencePiece model"):
        Tokenizer(b"a text file, no model\n")


def test_model_without_our_special_pieces(tmp_path):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_prefix=str(tmp_path / "other"),
        vocab_size=60,
        minloglevel=2,
    )
    with pytest.raises(InputError, match="'pad_id': -1"):
        Tokenizer(tmp_path / "other.model")


def test_bad_sentences_and_ids(tokenizer):
    for method in (tokenizer.encode, tokenizer.encode_corpus):
        with pytest.raises(InputError, match="one string"):
            method("one string")
        with pytest.raises(InputError, match="sentence 1 is int"):
            method(["a", 1])
        with pytest.raises(InputError, match="lone surrogate"):
            method(["a", "b\udc00"])
    for bad in (tokenizer.vocabulary_size, -1):
        with pytest.raises(InputError, match="sentence 1: ids from"):
            tokenizer.decode([[5], [4, bad]])


def test_tensorflow_loads_only_when_needed(tmp_path):
    path = tmp_path / "a.model"
    train(path)
    code = (
        "import sys; from tfcompress.text import Tokenizer\n"
        f"print(Tokenizer({str(path)!r}).encode(['two dogs']), 'tensorflow' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip().endswith("False")
    assert not result.stderr
