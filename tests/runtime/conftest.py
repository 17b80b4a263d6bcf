"""Bundles of small random models, exported once."""

from pathlib import Path

import pytest
from small_models import make_transformer, sentences

from tfcompress.export import convert
from tfcompress.text import train_tokenizer

# Few, because every bundle is compared with its model when it is made.
SAMPLES = [[5, 6, 2]]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    return train_tokenizer(sentences(300), vocabulary_size=120, path=path)


@pytest.fixture(scope="session")
def transformer():
    return make_transformer(120)


@pytest.fixture(scope="session")
def bundle(transformer, tokenizer, tmp_path_factory) -> Path:
    """A float32 bundle with a tokenizer and statistics of blocks of logits."""
    path = tmp_path_factory.mktemp("bundles") / "float32"
    convert(
        transformer,
        path,
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        quantization="float32",
        samples=SAMPLES,
    )
    return path


@pytest.fixture(scope="session")
def plain_bundle(tmp_path_factory) -> Path:
    """An int8 bundle without a tokenizer, whose vocabulary does not divide into blocks."""
    path = tmp_path_factory.mktemp("bundles") / "plain"
    convert(make_transformer(113), path, quantization="dynamic_int8", samples=SAMPLES)
    return path
