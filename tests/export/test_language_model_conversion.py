"""Language models as bundles."""

import dataclasses
import json

import numpy as np
import pytest

from tfcompress.errors import InputError
from tfcompress.export import convert
from tfcompress.models import (
    AttentionConfig,
    AveragedAttentionConfig,
    ConvolutionMixerConfig,
    DeLighTConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    LanguageModel,
    LanguageModelConfig,
    LSRAConfig,
    SharingConfig,
    SSRUConfig,
    StackConfig,
)

STACK = StackConfig(2, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(48))
CONFIG = LanguageModelConfig(64, hidden_dim=32, decoder=STACK, max_length=20)
SAMPLES = [[5, 9, 2], [*range(3, 20)]]


def export(folder, config=CONFIG, quantization="float32", **options):
    model = LanguageModel(config)
    rng = np.random.default_rng(0)
    for variable in model.model.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.1, variable.shape))
    return convert(model, folder, quantization=quantization, samples=SAMPLES, **options)


def test_manifest(tmp_path):
    manifest = export(tmp_path / "bundle")
    assert manifest == json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["model_type"] == "language_model"
    assert manifest["limits"] == {"max_length": 20}
    assert manifest["ids"] == {"pad": 0, "bos": 1, "eos": 2}
    assert manifest["vocabulary"] == 64
    assert {entry["per"] for entry in manifest["state"]} == {"hypothesis"}
    assert manifest["tokenizers"] == {"text": None}
    assert LanguageModelConfig.from_mapping(manifest["architecture"]) == CONFIG
    parity = manifest["parity"]
    assert parity["identical"] == 1
    assert parity["score_difference"] < 1e-4
    assert parity["beam_difference"] < 1e-4


MIXERS = [
    AveragedAttentionConfig(2, intermediate_dim=24),
    ConvolutionMixerConfig(2),
    DeLighTConfig(2),
    LSRAConfig(2),
    SSRUConfig(2),
]
EMBEDDINGS = [
    EmbeddingConfig(layer_type="adaptive", cutoffs=(20,)),
    EmbeddingConfig(16, layer_type="define", tie="own"),
    EmbeddingConfig(16, layer_type="dextra", tie="none"),
]


@pytest.mark.slow
@pytest.mark.parametrize("mixer", MIXERS, ids=lambda mixer: mixer.mixer)
@pytest.mark.parametrize("quantization", ["float32", "dynamic_int8"])
def test_mixers(tmp_path, mixer, quantization):
    config = CONFIG.replace(decoder=dataclasses.replace(STACK, attention=mixer))
    parity = export(tmp_path / "bundle", config, quantization)["parity"]
    assert 0.9 < parity["perplexity_ratio"] < 1.1


@pytest.mark.slow
@pytest.mark.parametrize("embedding", EMBEDDINGS, ids=lambda embedding: embedding.layer_type)
@pytest.mark.parametrize("quantization", ["float16", "int4"])
def test_embeddings(tmp_path, embedding, quantization):
    config = CONFIG.replace(
        embedding=embedding,
        normalize_first=True,
        positions="learned",
        decoder=dataclasses.replace(STACK, sharing=SharingConfig("all")),
    )
    parity = export(tmp_path / "bundle", config, quantization)["parity"]
    assert 0.7 < parity["perplexity_ratio"] < 1.4


@pytest.mark.slow
@pytest.mark.parametrize("mixer", [AttentionConfig(2), *MIXERS], ids=lambda mixer: mixer.mixer)
def test_custom_operations(tmp_path, monkeypatch, built, mixer):
    monkeypatch.setenv("TFCOMPRESS_NATIVE", str(built / "libtfcompress.so"))
    config = CONFIG.replace(decoder=dataclasses.replace(STACK, attention=mixer))
    manifest = export(tmp_path / "bundle", config, custom_ops=True)
    assert manifest["parity"]["native"]["identical"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"quantization": "static_int8", "representative_data": SAMPLES},
            "Static quantizations are for encoders",
        ),
        ({"custom_ops": ["tfc.TopLogits"]}, "is for translation models"),
        ({"source_tokenizer": object()}, "source_tokenizer"),
        ({"tokenizer": object()}, "`tokenizer` must be a tfcompress"),
        ({"samples": ["a text"]}, "needs a tokenizer"),
        ({"samples": [[70]]}, "outside|vocabulary"),
    ],
)
def test_what_is_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.setattr("tfcompress.export.options.ExportOptions.check_runtime", lambda self: None)
    with pytest.raises(InputError, match=message):
        convert(LanguageModel(CONFIG), tmp_path / "bundle", **options)
    assert not (tmp_path / "bundle").exists()
