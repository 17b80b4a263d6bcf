"""Bundles of small random models, exported once."""

from pathlib import Path

import pytest
from native_tokenizers import build, load
from shared_folders import shared_folder
from small_encoders import HEADS, make_encoder, make_tokenizer
from small_models import make_language_model, make_transformer, sentences
from tensorflow import keras

from tfcompress.export import Signature, convert
from tfcompress.text import train_tokenizer

# Few, because every bundle is compared with its model when it is made.
SAMPLES = [[5, 6, 2]]


@pytest.fixture(scope="session")
def tokenizer_library(tmp_path_factory, worker_id):
    """The C++ tokenizers, compiled once."""
    with shared_folder(tmp_path_factory, worker_id, "tokenizers") as folder:
        path = folder / "tokenizer.so"
        return load(path if path.exists() else build(folder))


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    """It takes text as it is, so that it is the runtime that must see what is blank."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    return train_tokenizer(
        sentences(300),
        vocabulary_size=120,
        path=path,
        model_type="bpe",
        normalization="identity",
    )


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
def language_model():
    return make_language_model(120)


@pytest.fixture(scope="session")
def language_model_bundle(language_model, tokenizer, tmp_path_factory) -> Path:
    """A float32 bundle with a tokenizer."""
    path = tmp_path_factory.mktemp("bundles") / "language_model"
    convert(
        language_model,
        path,
        tokenizer=tokenizer,
        quantization="float32",
        samples=[[5, 6, 2], [*range(3, 12)]],
    )
    return path


@pytest.fixture(scope="session")
def encoders():
    """A random text encoder for each head."""
    return {head: make_encoder(head) for head in HEADS}


@pytest.fixture(scope="session")
def encoder_bundles(encoders, tmp_path_factory) -> dict[str | None, Path]:
    """A float32 bundle of each of them, with a tokenizer."""
    folder = tmp_path_factory.mktemp("encoder_bundles")
    paths = {head: folder / str(head) for head in encoders}
    for head, encoder in encoders.items():
        convert(
            encoder,
            paths[head],
            tokenizer=make_tokenizer(),
            quantization="float32",
            samples=[[2, 5, 6, 3], [2, 3]],
        )
    return paths


@pytest.fixture(scope="session")
def c_interface_folders(bundle, language_model_bundle, encoder_bundles, tmp_path_factory):
    """A bundle of each type, in the order of `c_interface_program.c`."""
    path = tmp_path_factory.mktemp("bundles") / "model"
    inputs = keras.Input((4,), name="x")
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    signatures = {"serving_default": Signature(input_names=["x"], output_names=["y"])}
    convert(model, path, signatures=signatures, quantization="float32")
    return bundle, language_model_bundle, encoder_bundles["classification"], path


@pytest.fixture(scope="session")
def int8_encoder_bundle(encoders, tmp_path_factory) -> Path:
    """An int8 bundle of the classifier without a tokenizer."""
    path = tmp_path_factory.mktemp("encoder_bundles") / "int8"
    convert(encoders["classification"], path, samples=[[2, 5, 6, 3]])
    return path
