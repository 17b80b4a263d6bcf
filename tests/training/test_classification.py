"""Training of classifiers, with every method."""

import dataclasses

import numpy as np
import pytest
from tensorflow import keras
from text.text_corpus import PIECES, examples

from tfcompress.errors import InputError, InputWarning
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    HeadConfig,
    LayerDropConfig,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
)
from tfcompress.surgery import take_successors
from tfcompress.text import LabelledTexts, WordPieceTokenizer
from tfcompress.training import (
    ClusteringConfig,
    DistillationConfig,
    PruningConfig,
    QuantizeAwareConfig,
    ReplacingConfig,
    TrainingConfig,
    train_classifier,
)

TOKENIZER = WordPieceTokenizer(PIECES)
STACK = StackConfig(
    2, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(64, activation="gelu")
)
CONFIG = TextEncoderConfig(
    len(PIECES),
    hidden_dim=32,
    encoder=STACK,
    max_length=16,
    dropout=0.0,
    head=HeadConfig(num_classes=2, dropout=0.0),
)
TRAINING = TrainingConfig(
    updates=4,
    batch_tokens=256,
    learning_rate=0.003,
    schedule="constant",
    label_smoothing=0.0,
    evaluate_every=2,
)
KERAS_2 = not hasattr(keras, "ops")


def labelled(count, seed, max_length=16):
    texts, labels = zip(*examples(count, seed))
    return LabelledTexts(TOKENIZER, texts, labels, max_length=max_length, token_types=2)


TRAIN, VALID = labelled(200, 0), labelled(40, 1)


def train(folder, config=CONFIG, training=TRAINING, **options):
    return train_classifier(config, TRAIN, VALID, training, folder, verbose=0, **options)


def weights(encoder):
    return [np.asarray(weight) for weight in encoder.model.weights]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    training = dataclasses.replace(TRAINING, updates=80, evaluate_every=20)
    return train(tmp_path_factory.mktemp("trained"), training=training)


def test_it_learns(trained):
    encoder, history = trained
    assert [entry["update"] for entry in history] == [20, 40, 60, 80]
    assert history[-1]["val_accuracy"] > 0.9
    inputs, labels = VALID.batch(np.arange(len(VALID)))
    found = np.argmax(encoder.model(inputs, training=False)["logits"], axis=-1)
    assert np.mean(found == labels) == pytest.approx(history[-1]["val_accuracy"], abs=1e-6)


@pytest.mark.slow
def test_texts_that_are_cut_are_counted(tmp_path):
    """At a length that batches are not padded to a multiple of."""
    parts = labelled(200, 0, max_length=6), labelled(40, 1, max_length=6)
    cut = [sum(len(row) > 4 for row in TOKENIZER.encode([text for text, _ in examples(*those)]))
           for those in ((200, 0), (40, 1))]  # fmt: skip
    training = dataclasses.replace(TRAINING, updates=1, evaluate_every=1)
    with pytest.warns(InputWarning) as warned:
        train_classifier(CONFIG.replace(max_length=6), *parts, training, tmp_path, verbose=0)
    found = [str(one.message) for one in warned if one.category is InputWarning]
    assert [line.partition(" texts are cut")[0] for line in found] == [
        f"{cut[0]} of 200 training",
        f"{cut[1]} of 40 validation",
    ]
    assert all(cut)


@pytest.mark.slow
def test_an_interrupted_training_goes_on(tmp_path):
    straight, history = train(tmp_path / "straight")
    train(tmp_path / "broken", training=dataclasses.replace(TRAINING, updates=2))
    again, history_again = train(tmp_path / "broken")
    for one, other in zip(weights(straight), weights(again), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert [e["val_loss"] for e in history] == pytest.approx([e["val_loss"] for e in history_again])


@pytest.mark.slow
def test_a_training_that_diverges_keeps_its_best_state(tmp_path):
    schedule = {"schedule": "inverse_square_root", "warmup": 1, "accumulate": 2}
    first, _ = train(tmp_path, training=dataclasses.replace(TRAINING, **schedule))
    said = []
    diverging = dataclasses.replace(TRAINING, updates=40, learning_rate=1e30, **schedule)
    again, history = train(tmp_path, training=diverging, log=said.append)
    assert [entry["update"] for entry in history] == [2, 4]
    assert "is not finite" in said[0]
    for one, other in zip(weights(first), weights(again), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(InputError, match="before the first evaluation"):
        train(tmp_path / "other", training=diverging)


@pytest.mark.slow
def test_theseus(tmp_path, trained):
    predecessor = trained[0]
    config = CONFIG.replace(encoder=dataclasses.replace(STACK, successors=1))
    training = dataclasses.replace(
        TRAINING, replacing=ReplacingConfig(rate=0.5, steps=2), train_only="_module_"
    )
    encoder, _ = train(tmp_path, config, training, start=predecessor)
    smaller = take_successors(encoder)
    assert smaller.config.encoder.num_layers == 1
    # What is not replaced stays as it was.
    for name in ("embedding", "head_output"):
        former = predecessor.layer(name).get_weights()
        for one, other in zip(former, smaller.layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_replacing_needs_successors(tmp_path):
    training = dataclasses.replace(TRAINING, replacing=ReplacingConfig())
    with pytest.raises(InputError, match="needs a model with successors"):
        train(tmp_path, training=training)


@pytest.mark.slow
def test_layer_drop(tmp_path):
    stack = dataclasses.replace(STACK, layer_drop=LayerDropConfig(0.5, learned=True))
    encoder, history = train(tmp_path, CONFIG.replace(encoder=stack))
    assert np.isfinite([entry["loss"] for entry in history]).all()
    assert encoder.config.encoder.layer_drop.rate == 0.5


@pytest.mark.slow
def test_distillation(tmp_path, trained):
    config = CONFIG.replace(hidden_dim=8)
    training = dataclasses.replace(
        TRAINING, distillation=DistillationConfig(weight=0.9, hidden_weight=0.1)
    )
    teacher = trained[0]
    before = weights(teacher)
    student, _ = train(tmp_path, config, training, teacher=teacher)
    assert student.config.hidden_dim == 8
    for one, other in zip(before, weights(teacher), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(InputError, match="needs a teacher"):
        train(tmp_path / "without", config, training)


@pytest.mark.slow
@pytest.mark.costly
@pytest.mark.skipif(not KERAS_2, reason="tf-model-optimization takes Keras 2 only")
@pytest.mark.parametrize(
    "method",
    [
        {"quantize_aware": QuantizeAwareConfig(8)},
        {"quantize_aware": QuantizeAwareConfig(4, block_size=32)},
        {"pruning": PruningConfig(0.5, frequency=1)},
        {"clustering": ClusteringConfig(8)},
    ],
    ids=["int8", "int4", "pruning", "clustering"],
)
def test_optimization(tmp_path, trained, method):
    training = dataclasses.replace(TRAINING, **method)
    encoder, history = train(tmp_path, training=training, start=trained[0])
    assert isinstance(encoder, TextEncoder)
    assert history[-1]["val_accuracy"] > 0.6
    kernel = np.asarray(encoder.encoder_layers[0].feed_forward.inner.kernel)
    if "pruning" in method:
        assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.01)
    elif "clustering" in method:
        assert len(np.unique(kernel)) <= 8
    elif method["quantize_aware"].bits == 8:
        scales = np.abs(kernel).max(axis=0) / 127
        np.testing.assert_allclose(kernel / scales, np.round(kernel / scales), atol=1e-3)


@pytest.mark.parametrize("head", [None, HeadConfig("embedding", pooling="mean")])
def test_other_heads(tmp_path, head):
    with pytest.raises(InputError, match="needs a head for classification"):
        train(tmp_path, CONFIG.replace(head=head))


def test_labels_out_of_range(tmp_path):
    texts = LabelledTexts(TOKENIZER, ["great", "dull"], [0, 2], max_length=8)
    with pytest.raises(InputError, match=r"Labels must lie between 0 and 1. Received: 2"):
        train_classifier(CONFIG, texts, VALID, TRAINING, tmp_path)
