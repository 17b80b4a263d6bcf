"""Corpora of plain texts, and their rows of ids."""

import gzip
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.text import TokenizedTexts, load_text_corpus

EOS = 2


def tokenizer(rows):
    """One whose texts are their own ids."""
    splits = np.cumsum([0, *map(len, rows)])
    ids = np.array([token for row in rows for token in row], np.int32)
    return SimpleNamespace(
        encode_corpus=lambda texts: (ids, splits), eos_id=EOS, bos_id=1, pad_id=0
    )


@given(
    st.lists(st.lists(st.integers(3, 9), max_size=7), min_size=1, max_size=6),
    st.integers(1, 9),
    st.booleans(),
)
def test_rows(rows, limit, join):
    texts = TokenizedTexts.from_corpus(tokenizer(rows), rows, max_length=limit, join=join)
    ended = [[*row, EOS] for row in rows]
    if join:
        ended = [[token for row in ended for token in row]]
    expected = [row[i : i + limit] for row in ended for i in range(0, len(row), limit)]
    assert [texts[i].tolist() for i in range(len(texts))] == expected
    token_ids, labels = texts.batch(np.arange(len(texts)))
    for row, ids, label in zip(expected, token_ids, labels, strict=True):
        assert label.tolist() == row + [0] * (len(label) - len(row))
        assert ids.tolist() == [1, *label[:-1]]
    assert token_ids.shape[1] <= limit


def test_batches_go_on_where_they_were_left():
    rows = [[3] * (i % 5) for i in range(40)]
    texts = TokenizedTexts.from_corpus(tokenizer(rows), rows, max_length=6)

    def first(count, start):
        dataset = texts.training_dataset(batch_tokens=24, seed=3, start_step=start)
        return [labels.numpy().tolist() for _, labels in dataset.take(count)]

    assert first(9, 0)[4:] == first(5, 4)
    evaluated = [
        label for _, labels in texts.evaluation_dataset(batch_tokens=24) for label in labels
    ]
    assert len(evaluated) == len(texts)


def test_corpora(tmp_path):
    (tmp_path / "train.txt").write_text("a b\n\n \nc\n")
    (tmp_path / "val.txt.gz").write_bytes(gzip.compress(b"d\n"))
    corpus = load_text_corpus(tmp_path)
    assert {name: texts for name, (texts, _) in corpus.splits.items()} == {
        "train": ["a b", "c"],
        "valid": ["d"],
    }
    (tmp_path / "train.txt").write_text("a b\nd\n")
    assert load_text_corpus(tmp_path).digest() != corpus.digest()
    lines = [f"text {i}" for i in range(250)]
    (tmp_path / "all.txt").write_text("\n".join(lines))
    splits = load_text_corpus(tmp_path / "all.txt").splits
    assert [len(splits[name][0]) for name in ("train", "valid", "test")] == [246, 2, 2]
    assert sorted(text for texts, _ in splits.values() for text in texts) == sorted(lines)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "There is no train file train, train.txt"),
        ({"train": "a"}, "There is no valid file"),
        ({"train": "\n", "valid": "a"}, "The file has no text"),
    ],
)
def test_corpora_that_lack_something(tmp_path, files, message):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        load_text_corpus(tmp_path)
