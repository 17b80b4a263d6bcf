"""Texts and their tokenizer, for the tests of streams."""

import pytest

from tfcompress.text import phrase_corpus, train_tokenizer


@pytest.fixture(scope="module")
def texts():
    return phrase_corpus(pairs=420, valid=10, test=10).splits["train"][0]


@pytest.fixture(scope="module")
def tokenizer(texts, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "a.model"
    return train_tokenizer(texts, vocabulary_size=200, path=path)
