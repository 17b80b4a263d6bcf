"""Bundles of small random models, exported once."""

from pathlib import Path

import pytest
from small_models import make_transformer, sentences

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
    import shutil
    import sys

    sys.path.insert(0, "/tmp/rt")
    cached = Path("/tmp/rt/cache") / f"{quantization}_{tokenizer is None}"
    if not cached.exists():
        import mk

        mk.bundle(
            transformer,
            cached,
            quantization != "float32",
            tokenizer,
            block="auto" if tokenizer else None,
        )
    shutil.copytree(cached, path)


@pytest.fixture(scope="session")
def bundle(transformer, tokenizer_file, tmp_path_factory) -> Path:
    """A float32 bundle with a tokenizer and statistics of blocks of logits."""
    path = tmp_path_factory.mktemp("bundles") / "float32"
    _convert(transformer, path, "float32", tokenizer_file)
    return path


@pytest.fixture(scope="session")
def plain_bundle(tmp_path_factory) -> Path:
    """An int8 bundle without a tokenizer, whose vocabulary does not divide into blocks."""
    path = tmp_path_factory.mktemp("bundles") / "plain"
    _convert(make_transformer(113), path, "dynamic_int8", None)
    return path
