"""Training of language models."""

import dataclasses
import math

import numpy as np
import pytest
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    LanguageModelConfig,
    LayerDropConfig,
    StackConfig,
)
from tfcompress.text import TokenizedTexts
from tfcompress.training import (
    DistillationConfig,
    PruningConfig,
    QuantizeAwareConfig,
    ReplacingConfig,
    TrainingConfig,
    train_language_model,
)

STACK = StackConfig(2, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(24))
CONFIG = LanguageModelConfig(12, hidden_dim=16, decoder=STACK, max_length=8, dropout=0.1)
# Its matrices are large enough to be quantized or pruned.
WIDE = CONFIG.replace(
    decoder=dataclasses.replace(STACK, feed_forward=FeedForwardConfig(64), num_layers=1)
)
TRAINING = TrainingConfig(
    updates=4,
    batch_tokens=64,
    learning_rate=0.01,
    schedule="constant",
    label_smoothing=0.0,
    evaluate_every=2,
)
KERAS_2 = not hasattr(keras, "ops")


def counting(count, seed):
    """Texts that count up, from numbers by chance."""
    rng = np.random.default_rng(seed)
    rows = [[3 + (first + i) % 8 for i in range(7)] + [2] for first in rng.integers(8, size=count)]
    return TokenizedTexts(np.concatenate(rows), np.arange(0, 8 * count + 1, 8))


TRAIN, VALID = counting(100, 0), counting(20, 1)


def train(folder, config=CONFIG, training=TRAINING, **options):
    options = {"verbose": 0, "log": lambda line: None, **options}
    return train_language_model(config, TRAIN, VALID, training, folder, **options)


@pytest.mark.slow
def test_learns_and_goes_on_bit_by_bit(tmp_path):
    whole, history = train(tmp_path / "whole")
    train(tmp_path / "parts", training=dataclasses.replace(TRAINING, updates=2))
    parts, _ = train(tmp_path / "parts")
    for one, other in zip(whole.model.get_weights(), parts.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    first, last = (entry["val_perplexity"] for entry in history)
    assert last < first
    assert last == pytest.approx(math.exp(history[-1]["val_loss"]))
    # The perplexity is that of the labels, whatever the batches.
    token_ids, labels = VALID.batch(np.arange(len(VALID)))
    losses = keras.losses.sparse_categorical_crossentropy(
        labels, whole.model(token_ids), from_logits=True
    )
    assert last == pytest.approx(math.exp(np.mean(losses)), rel=1e-4)


@pytest.mark.slow
def test_the_best_by_perplexity(tmp_path):
    """A learning rate that is far too high spoils what was learned."""
    lines = []
    training = dataclasses.replace(TRAINING, updates=12, learning_rate=2.0)
    _, history = train(tmp_path, training=training, log=lines.append)
    best = min(history, key=lambda entry: entry["val_perplexity"])
    assert f"update {best['update']}, the best by val_perplexity" in lines[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "changes"),
    [
        (CONFIG, {"accumulate": 2}),
        (CONFIG.replace(decoder=dataclasses.replace(STACK, successors=1)), {"replacing": True}),
        (
            CONFIG.replace(
                decoder=dataclasses.replace(STACK, layer_drop=LayerDropConfig(0.3, learned=True))
            ),
            {},
        ),
        (WIDE, {"quantize_aware": QuantizeAwareConfig()}),
        (WIDE, {"pruning": PruningConfig(frequency=1)}),
    ],
)
def test_methods(tmp_path, config, changes):
    if {"quantize_aware", "pruning"} & {*changes} and not KERAS_2:
        pytest.skip("tensorflow-model-optimization needs Keras 2")
    if "replacing" in changes:
        changes = {"replacing": ReplacingConfig()}
    model, history = train(tmp_path, config, dataclasses.replace(TRAINING, **changes))
    assert len(history) == 2
    assert model.config == config


@pytest.mark.slow
def test_distillation(tmp_path):
    teacher, _ = train(tmp_path / "teacher")
    distillation = DistillationConfig(hidden_weight=1.0)
    training = dataclasses.replace(TRAINING, distillation=distillation)
    student = CONFIG.replace(hidden_dim=8, decoder=dataclasses.replace(STACK, num_layers=1))
    _, history = train(tmp_path / "student", student, training, teacher=teacher)
    assert np.isfinite(history[-1]["val_perplexity"])
    other = student.replace(vocabulary_size=13)
    with pytest.raises(InputError, match="must have one vocabulary"):
        train(tmp_path / "other", other, training, teacher=teacher)


def test_rows_that_are_too_long(tmp_path):
    with pytest.raises(InputError, match="`texts` must have rows of at most 6 ids"):
        train(tmp_path, CONFIG.replace(max_length=6))
    with pytest.raises(InputError, match="one that is measured: val_perplexity, val_loss"):
        train(tmp_path, training=dataclasses.replace(TRAINING, metric="val_bleu"))
