import json

import numpy as np
import pytest
import tensorflow as tf
from export_harness import assert_export_parity, make_transformer, plain_transformer
from flavours import one_flavour
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow import keras

import tfcompress
from tfcompress.errors import InputError
from tfcompress.export import ExportError, convert
from tfcompress.export.conversion import translation_parity
from tfcompress.grids import Grid
from tfcompress.layers.common.weight_slots import weight_slots
from tfcompress.models import EmbeddingConfig
from tfcompress.models.decoding import beam_decode, greedy_decode
from tfcompress.runtime import Translator

OWN = EmbeddingConfig(8, share=True, tie="own", use_bias=True, use_output_bias=True)
VARIANTS = {
    "plain": {},
    "all_shared": {"sharing": "all", "embedding": EmbeddingConfig(share=False)},
    "groups_pre_norm_factorized": {
        "sharing": "groups",
        "normalize_first": True,
        "embedding": EmbeddingConfig(16, share=True),
    },
    "attention_shared_learned": {"sharing": "attention", "positions": "learned"},
    "feed_forward_shared_own_tie": {"sharing": "feed_forward", "embedding": OWN},
    "untied_without_blocks": {"vocabulary": 61, "embedding": EmbeddingConfig(tie="none")},
}


SLOW = {"all_shared", "attention_shared_learned", "untied_without_blocks"}


@pytest.mark.costly
@pytest.mark.parametrize(
    "variant",
    [pytest.param(v, marks=pytest.mark.slow) if v in SLOW else v for v in VARIANTS],
)
def test_float32(variant):
    manifest = assert_export_parity(make_transformer(**VARIANTS[variant]))
    metrics = manifest["parity"]
    assert metrics["identical"] == 1 or metrics["ties"]
    assert metrics["tokens"] > 50
    assert metrics["max_difference"] < 1e-3
    assert metrics["beam_identical"] == metrics["beam_samples"] == 2


@pytest.mark.costly
@pytest.mark.parametrize("quantization", ["float16", "dynamic_int8"])
def test_quantized(quantization):
    manifest = assert_export_parity(
        make_transformer(embedding=EmbeddingConfig(32, share=True)), quantization=quantization
    )
    assert manifest["quantization"] == quantization
    metrics = manifest["parity"]
    assert metrics["identical"] > 0.8
    assert 0 < metrics["mean_log_probability_difference"] < 0.2


@one_flavour
@pytest.mark.costly
@pytest.mark.parametrize(
    ("quantization", "bits", "block_size"), [("int4", 4, 32), ("int4_per_channel", 4, None)]
)
def test_weights_on_the_grid_of_4_bits(quantization, bits, block_size):
    """They lose nothing but what kernels round of activations, as in 8 bits."""
    transformer = make_transformer()
    for layer in transformer.model.layers:
        for slot in weight_slots(layer):
            grid = Grid(bits, channels=slot.channels, block_size=block_size, inputs=slot.inputs)
            slot.get().assign(grid.round(np.array(slot.get())))
    manifest = assert_export_parity(transformer, quantization=quantization)
    metrics = manifest["parity"]
    assert metrics["identical"] > 0.8
    assert 0 < metrics["mean_log_probability_difference"] < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["float16", "dynamic_int8"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_quantized_variants(variant, quantization):
    assert_export_parity(make_transformer(**VARIANTS[variant]), quantization=quantization)


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    encoder=st.tuples(st.integers(1, 3), st.sampled_from(["none", "all", "feed_forward"])),
    decoder=st.tuples(st.integers(1, 3), st.sampled_from(["none", "groups", "attention"])),
    hidden_dim=st.sampled_from([16, 24, 40]),
    vocabulary=st.integers(5, 130),
    embedding=st.builds(
        EmbeddingConfig,
        st.sampled_from([None, 8, 40]),
        share=st.booleans(),
        tie=st.sampled_from(["shared", "own", "none"]),
        use_bias=st.booleans(),
        use_output_bias=st.booleans(),
    ),
    positions=st.sampled_from(["sinusoidal", "learned"]),
    normalize_first=st.booleans(),
    quantization=st.sampled_from(["float32", "float16", "dynamic_int8"]),
)
def test_any_model(encoder, decoder, hidden_dim, vocabulary, quantization, **changes):
    def stack(depth, pattern):
        return make_transformer(depth=depth, sharing=pattern).config.encoder

    transformer = make_transformer(
        hidden_dim=hidden_dim,
        vocabulary=vocabulary,
        encoder=stack(*encoder),
        decoder=stack(*decoder),
        **changes,
    )
    assert_export_parity(transformer, quantization=quantization)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "new" / "bundle"
    return path, convert(plain_transformer(), path, quantization="float32")


@one_flavour
def test_manifest(bundle):
    path, manifest = bundle
    assert json.loads((path / "manifest.json").read_text()) == json.loads(json.dumps(manifest))
    config = plain_transformer().config
    assert manifest["format"] == 3
    assert manifest["model_type"] == "translation"
    assert manifest["producer"]["tfcompress"] == tfcompress.__version__
    assert manifest["producer"]["tensorflow"] == tf.__version__
    assert manifest["custom_ops"] == []
    assert manifest["parameters"] == plain_transformer().model.count_params()
    assert type(config).from_mapping(manifest["architecture"]) == config
    assert manifest["limits"] == {"max_source_length": 12, "max_target_length": 16}
    assert manifest["vocabulary"] == {"source": 60, "target": 60}
    assert manifest["tokenizers"] == {"source": None, "target": None}
    assert manifest["decoder"]["block"] == 60
    assert list(manifest["files"]) == ["model.tflite"]
    size = (path / "model.tflite").stat().st_size
    assert manifest["files"]["model.tflite"]["bytes"] == size


@one_flavour
def test_bundle_translates_as_the_model_does(bundle):
    path, _ = bundle
    sources = [[7, 9, 11], [30], [59, 3, 4, 5, 6, 8]]
    with Translator(path) as translator:
        greedy = translator.translate_ids(sources)
        beams = translator.translate_ids(sources, beam_size=3, n_best=3)
    ended = [[*source, 2] for source in sources]
    assert greedy == greedy_decode(plain_transformer(), ended)
    for source, hypotheses in zip(ended, beams):
        expected = beam_decode(plain_transformer(), source, beam_size=3, n_best=3)
        assert [h.ids for h in hypotheses] == [h.token_ids for h in expected]
        assert [h.score for h in hypotheses] == pytest.approx([h.score for h in expected], abs=1e-4)


@pytest.mark.slow
def test_mixed_precision_and_dropout():
    """Exports are in float32 and without dropout, whatever the model was trained with."""
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = make_transformer(dropout=0.5, depth=1)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert_export_parity(mixed)


@one_flavour
def test_samples(tmp_path):
    manifest = convert(plain_transformer(), tmp_path / "bundle", samples=[[4, 5, 2], [6, 2]])
    assert manifest["parity"]["samples"] == 2
    assert manifest["custom_ops"] == []


WRONG = {
    "`quantization` must be one of float32, float16, dynamic_int8": {"quantization": "int3"},
    "`samples` must have sentences": {"samples": []},
    "0 in sentence 1 of `samples`": {"samples": [[5, 2], []]},
    "13 in sentence 0 of `samples`": {"samples": [[5] * 12 + [2]]},
    "must end with `eos_id`=2. Received: 5 at the end of sentence 0": {"samples": [[4, 5]]},
    "Received: 2 to 60 in sentence 0 of `samples`": {"samples": [[60, 2]]},
    "`source_tokenizer` must be a tfcompress.text.Tokenizer. Received: str": {
        "source_tokenizer": "a.model"
    },
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_arguments(tmp_path, message):
    with pytest.raises(InputError, match=message):
        convert(plain_transformer(), tmp_path / "bundle", **WRONG[message])
    assert list(tmp_path.iterdir()) == []


def test_other_models_are_refused(tmp_path):
    with pytest.raises(InputError, match="TextEncoder, a LanguageModel or a Keras model"):
        convert({}, tmp_path / "bundle")


@one_flavour
def test_weights_that_are_not_finite(tmp_path):
    transformer = make_transformer(depth=1)
    table = transformer.layer("embedding").embeddings
    values = np.array(table)
    values[7, 7] = np.nan
    table.assign(values)
    with pytest.raises(InputError, match=r"must be finite\. .*embeddings.* training diverged"):
        convert(transformer, tmp_path / "bundle")


@one_flavour
def test_missing_operations_are_named(tmp_path, monkeypatch):
    from tfcompress.layers import LayerNormalization

    call = LayerNormalization.call
    monkeypatch.setattr(
        LayerNormalization, "call", lambda self, x: tf.math.ndtri(tf.math.digamma(call(self, x)))
    )
    with pytest.raises(ExportError, match=r"lacks operations. Received: Digamma, Ndtri. Replace"):
        convert(make_transformer(depth=1), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


@one_flavour
def test_models_that_litert_cannot_run(tmp_path, monkeypatch):
    def fail(*args):
        raise RuntimeError("node 7 failed to prepare\nin subgraph 1")

    monkeypatch.setattr(translation_parity, "compare", fail)
    with pytest.raises(
        ExportError, match=r"LiteRT cannot run the exported model. Received: node 7 failed"
    ):
        convert(make_transformer(depth=1), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []
