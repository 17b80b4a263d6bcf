"""Bundles of small random models, exported once."""

import fcntl
import shutil
from pathlib import Path

import pytest
from small_models import make_transformer, sentences

from tfcompress.export import build_native, convert
from tfcompress.export.runtime.native_files import native_library
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


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id) -> Path:
    """The folder of a native runtime built of these sources, in a cache of its own."""
    if shutil.which("cmake") is None or not any(map(shutil.which, ("c++", "g++", "clang++"))):
        pytest.skip("the native runtime needs CMake and a C++ compiler, which are not installed")
    base = tmp_path_factory.getbasetemp()
    # Processes that test side by side share what the first of them builds.
    cache = (base if worker_id == "master" else base.parent) / "native"
    cache.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, (cache / "lock").open("w") as lock:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        patch.delenv("TFCOMPRESS_NATIVE", raising=False)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return native_library().parent if native_library() is not None else build_native()
