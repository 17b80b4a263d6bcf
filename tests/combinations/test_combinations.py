"""Methods combine: each pair of options trains, is saved, exported and run."""

import gc

import numpy as np
import pytest
import tensorflow as tf
from combinations.covering import covering_pairs
from flavours import one_flavour
from tensorflow import keras

from tfcompress.analysis import describe
from tfcompress.export import convert
from tfcompress.models import (
    AttentionConfig,
    AveragedAttentionConfig,
    ConvolutionConfig,
    ConvolutionMixerConfig,
    DeLighTConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    FixedPatternConfig,
    LayerDropConfig,
    LSRAConfig,
    ScalingConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    SharingConfig,
    SSRUConfig,
    StackConfig,
    TransformConfig,
    load_preset,
)
from tfcompress.runtime import Translator
from tfcompress.runtime.native_files import LIBRARY
from tfcompress.training import LabelSmoothedCrossentropy

VOCABULARY = 24
_NARROW = {"transform": TransformConfig(2, width_multiplier=2.0, max_groups=2)}
EMBEDDINGS = {
    "table": EmbeddingConfig(share=True),
    "factorized": EmbeddingConfig(8, share=False, tie="own", use_bias=True),
    "untied": EmbeddingConfig(8, tie="none", use_output_bias=True),
    "adaptive": EmbeddingConfig(16, share=True, layer_type="adaptive", cutoffs=(10, 18), factor=2),
    "define": EmbeddingConfig(16, share=True, tie="own", layer_type="define", **_NARROW),
    "dextra": EmbeddingConfig(16, tie="own", layer_type="dextra", **_NARROW),
    "cached": EmbeddingConfig(
        16, share=True, tie="own", layer_type="dextra", cached=True, **_NARROW
    ),
}
_PATTERNS = ("current", "previous", "next", "left_context", "right_context", "sentence_end")
DELIGHT = DeLighTConfig(
    1, scaling=ScalingConfig(2, max_layers=2, width_multiplier=2.0, max_groups=2)
)
ENCODERS = {
    "multi_head": AttentionConfig(4),
    "gated": AttentionConfig(2, head_dim=6, gated=True),
    "fixed": FixedPatternConfig(8, patterns=(*_PATTERNS, "sentence_start")),
    "words": FixedPatternConfig(4, patterns=_PATTERNS[1:4], edges="self", words=True),
    "lightweight": ConvolutionMixerConfig(
        convolution=ConvolutionConfig("lightweight", gated=False)
    ),
    "lsra": LSRAConfig(2, attention_dim=8, convolution=ConvolutionConfig(mask_after_linear=True)),
    "delight": DELIGHT,
}
DECODERS = {
    "multi_head": AttentionConfig(4),
    "gated": AttentionConfig(2, gated=True),
    "dynamic": ConvolutionMixerConfig(4, convolution=ConvolutionConfig(kernel_size=7)),
    "lsra": LSRAConfig(2, convolution=ConvolutionConfig("lightweight", kernel_size=5)),
    "averaged": AveragedAttentionConfig(2, intermediate_dim=12),
    "ssru": SSRUConfig(2),
    "delight": DELIGHT,
}
SHARING = {
    "none": SharingConfig(),
    "all": SharingConfig("all"),
    "groups": SharingConfig("groups", groups=2),
    "attention": SharingConfig("attention"),
    "feed_forward": SharingConfig("feed_forward", groups=2),
}
LAYER_DROP = {
    "kept": LayerDropConfig(),
    "dropped": LayerDropConfig(0.2),
    "learned": LayerDropConfig(0.2, learned=True),
}
FACTORS = {
    "embedding": list(EMBEDDINGS),
    "encoder": list(ENCODERS),
    "decoder": list(DECODERS),
    "sharing": list(SHARING),
    "layer_drop": list(LAYER_DROP),
    "replacing": ["no", "encoder", "decoder"],
    "normalization": ["first", "last"],
    "positions": ["sinusoidal", "learned"],
}


def allowed(combination):
    """Dropping whole layers does not go with sharing halves."""
    halves = combination["sharing"] in ("attention", "feed_forward")
    return combination["layer_drop"] == "kept" or not halves


COMBINATIONS = covering_pairs(FACTORS, allowed)
# One without DeLighT, whose graphs take long to trace.
_IN_EVERY_RUN = next(c for c in COMBINATIONS if "delight" not in (c["encoder"], c["decoder"]))


def make_config(combination):
    stacks = {}
    for side, attentions in (("encoder", ENCODERS), ("decoder", DECODERS)):
        delight = combination[side] == "delight"
        stacks[side] = StackConfig(
            4,
            attention=attentions[combination[side]],
            feed_forward=FeedForwardConfig(
                8 if delight else 24, activation="swish" if delight else "relu"
            ),
            sharing=SHARING[combination["sharing"]],
            layer_drop=LAYER_DROP[combination["layer_drop"]],
            successors=2 if combination["replacing"] == side else None,
        )
    return Seq2SeqConfig(
        VOCABULARY,
        hidden_dim=16,
        embedding=EMBEDDINGS[combination["embedding"]],
        positions=combination["positions"],
        normalize_first=combination["normalization"] == "first",
        dropout=0.0,
        max_source_length=16,
        max_target_length=16,
        **stacks,
    )


def batches():
    """Sequences to be copied, some of them padded."""
    rng = np.random.default_rng(0)
    ids = rng.integers(4, VOCABULARY, (16, 7))
    ids[:, -1] = 2
    ids[::2, -2:] = [2, 0]
    target = np.concatenate([np.ones((16, 1), int), ids[:, :-1]], axis=1)
    return {"source_token_ids": ids, "target_token_ids": target}, ids


@pytest.fixture(autouse=True)
def _forgotten_models():
    """Dozens of models in one process would fill its memory."""
    yield
    keras.backend.clear_session()
    gc.collect()


@pytest.mark.slow
@pytest.mark.parametrize(
    "combination",
    [
        pytest.param(
            combination,
            id="-".join(combination.values()),
            marks=one_flavour if combination == _IN_EVERY_RUN else pytest.mark.slow,
        )
        for combination in COMBINATIONS
    ],
)
def test_trains_is_saved_and_exported(combination, tmp_path, built, monkeypatch):
    keras.utils.set_random_seed(1)
    transformer = Seq2SeqTransformer(make_config(combination))
    counted = describe(transformer).to_dict()["parameters"]["total"]
    assert counted == transformer.model.count_params()
    inputs, labels = batches()
    transformer.set_word_starts(np.arange(VOCABULARY) % 2 == 0)
    loss = LabelSmoothedCrossentropy(0.0)
    transformer.model.compile(keras.optimizers.Adam(0.01), loss)
    data = tf.data.Dataset.from_tensors((inputs, labels)).repeat()
    before = transformer.model.evaluate(data, steps=1, verbose=0)
    transformer.model.fit(data, steps_per_epoch=20, verbose=0)
    assert transformer.model.evaluate(data, steps=1, verbose=0) < before

    transformer.save_to_preset(tmp_path / "model")
    loaded = load_preset(tmp_path / "model")
    expected = transformer.model(inputs, training=False)
    np.testing.assert_allclose(loaded.model(inputs, training=False), expected, atol=1e-6)

    samples = [[5, 9, 4, 2], [7, 2]]
    manifest = convert(
        loaded, tmp_path / "bundle", quantization="float32", samples=samples, custom_ops=False
    )
    parity = manifest["parity"]
    assert parity["max_difference"] < 1e-3
    assert parity["beam_identical"] == parity["beam_samples"] > 0
    # The native runtime refuses operators that it does not know.
    translations = []
    for library in ("0", str(built / LIBRARY)):
        monkeypatch.setenv("TFCOMPRESS_NATIVE", library)
        translator = Translator(tmp_path / "bundle")
        translations.append(translator.translate_ids([ids[:-1] for ids in samples]))
    assert translator.is_native
    assert translations[0] == translations[1]


@one_flavour
def test_at_least_forty_combinations_cover_every_pair():
    assert len(COMBINATIONS) >= 40
    for one, other in (("encoder", "decoder"), ("embedding", "sharing"), ("decoder", "layer_drop")):
        pairs = {(combination[one], combination[other]) for combination in COMBINATIONS}
        assert len(pairs) == len(FACTORS[one]) * len(FACTORS[other])
