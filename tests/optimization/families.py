"""A small transformer of every family of methods, wide enough for its matrices to be quantized."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tfcompress.models import (
    AttentionConfig,
    ConvolutionConfig,
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
    StackConfig,
    TransformConfig,
)
from tfcompress.training import LabelSmoothedCrossentropy

VOCABULARY, WIDTH = 96, 64
PLAIN = StackConfig(1, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(96))
_CONVOLUTION = ConvolutionConfig(kernel_size=5)
_LSRA = LSRAConfig(2, convolution=_CONVOLUTION)
_DELIGHT = StackConfig(
    2,
    attention=DeLighTConfig(
        1, scaling=ScalingConfig(2, max_layers=4, width_multiplier=2.0, max_groups=2)
    ),
    feed_forward=FeedForwardConfig(32, activation="swish"),
)
_PATTERNS = ("previous", "next", "left_context")
_TRANSFORM = TransformConfig(2, width_multiplier=2.0, max_groups=2)


def slow_but(always, *options):
    """Every combination of some options as a test's parameters, most of them slow ones.

    Args:
        always: Those of every run: tuples, or of one choice values.
        *options: What there is to choose from.
    """
    return [
        pytest.param(
            *values,
            marks=[] if (values if len(values) > 1 else values[0]) in always else pytest.mark.slow,
        )
        for values in itertools.product(*options)
    ]


FAMILIES = {
    "plain": {},
    "factorized_shared": {
        "encoder": StackConfig(2, sharing=SharingConfig("all"), feed_forward=PLAIN.feed_forward),
        "embedding": EmbeddingConfig(32, share=True, use_bias=True),
    },
    "adaptive": {
        "embedding": EmbeddingConfig(32, share=True, layer_type="adaptive", cutoffs=(48,), factor=2)
    },
    "define": {
        "embedding": EmbeddingConfig(32, tie="own", layer_type="define", transform=_TRANSFORM),
        "positions": "learned",
    },
    "delight": {
        "encoder": _DELIGHT,
        "decoder": _DELIGHT,
        "embedding": EmbeddingConfig(32, tie="own", layer_type="dextra", transform=_TRANSFORM),
    },
    "fixed_patterns": {
        "encoder": StackConfig(
            1,
            attention=FixedPatternConfig(4, patterns=_PATTERNS),
            feed_forward=FeedForwardConfig(96),
        )
    },
    "lsra": {
        "encoder": StackConfig(2, attention=_LSRA, feed_forward=FeedForwardConfig(64)),
        "decoder": StackConfig(
            2,
            attention=_LSRA,
            feed_forward=FeedForwardConfig(64),
            cross_attention=AttentionConfig(2),
        ),
    },
    "layer_drop": {
        "encoder": StackConfig(
            2,
            attention=AttentionConfig(2),
            feed_forward=FeedForwardConfig(96),
            layer_drop=LayerDropConfig(0.5),
        ),
        "decoder": StackConfig(
            2,
            attention=AttentionConfig(2),
            feed_forward=FeedForwardConfig(96),
            layer_drop=LayerDropConfig(0.5, learned=True),
        ),
    },
}


def make_family(name: str, **changes) -> Seq2SeqTransformer:
    """Builds the transformer of a family."""
    settings = {
        "encoder": PLAIN,
        "decoder": PLAIN,
        "embedding": EmbeddingConfig(share=True),
        "normalize_first": True,
        "dropout": 0.1,
        "max_source_length": 16,
        "max_target_length": 16,
        **FAMILIES[name],
        **changes,
    }
    return Seq2SeqTransformer(Seq2SeqConfig(VOCABULARY, hidden_dim=WIDTH, **settings))


def trained(model, *, learning_rate, steps, epochs=1, callbacks=()) -> list[float]:
    """Trains a model to copy sequences, and returns the loss of each epoch."""
    model.compile(keras.optimizers.Adam(learning_rate), LabelSmoothedCrossentropy(0.0))
    # Otherwise the first step would be traced twice.
    model.optimizer.build(model.trainable_variables)
    data = tf.data.Dataset.from_tensors(batch()).repeat()
    history = model.fit(
        data, steps_per_epoch=steps, epochs=epochs, verbose=0, callbacks=list(callbacks)
    )
    return history.history["loss"]


def batch():
    """Sequences to be copied, some of them padded."""
    rng = np.random.default_rng(0)
    ids = rng.integers(4, VOCABULARY, (8, 7))
    ids[:, -1] = 2
    ids[::2, -2:] = [2, 0]
    target = np.concatenate([np.ones((8, 1), int), ids[:, :-1]], axis=1)
    return {"source_token_ids": ids, "target_token_ids": target}, ids
