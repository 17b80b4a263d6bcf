"""Bundles of small random models, exported once."""

from pathlib import Path

import pytest
from small_models import QUANTIZATIONS, make_transformer, sentences

from tfcompress.text import train_tokenizer


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    train_tokenizer(sentences(300), vocabulary_size=120, path=path)
    return path


@pytest.fixture(scope="session")
def transformer():
    return make_transformer(120)


def _convert(transformer, path, quantization, tokenizer):
    import sys

    sys.path.insert(0, "/tmp/rt")
    import mk

    mk.bundle(transformer, path, quantization != "float32", tokenizer, block="auto")


@pytest.fixture(scope="session")
def bundles(transformer, tokenizer_file, tmp_path_factory) -> dict[str, Path]:
    """A bundle for each quantization, with a tokenizer and statistics of blocks of logits."""
    folder = tmp_path_factory.mktemp("bundles")
    for quantization in QUANTIZATIONS:
        _convert(transformer, folder / quantization, quantization, tokenizer_file)
    return {quantization: folder / quantization for quantization in QUANTIZATIONS}


@pytest.fixture(scope="session")
def bundle(bundles) -> Path:
    return bundles["float32"]


@pytest.fixture(scope="session")
def plain_transformer():
    return make_transformer(113)


@pytest.fixture(scope="session")
def plain_bundle(plain_transformer, tmp_path_factory) -> Path:
    """A bundle without a tokenizer, whose vocabulary has no blocks."""
    path = tmp_path_factory.mktemp("bundles") / "plain"
    _convert(plain_transformer, path, "float32", None)
    return path
