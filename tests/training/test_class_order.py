"""Classes keep their meaning where a head begins with another's, and every kind of head trains."""

import dataclasses

import numpy as np
import pytest
from flavours import one_flavour
from tensorflow import keras
from text.text_corpus import BAD, GOOD, PIECES, examples

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    HeadConfig,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
)
from tfcompress.models.transfer import transfer_weights
from tfcompress.text import LabelledTexts, WordPieceTokenizer
from tfcompress.training import (
    DistillationConfig,
    ReplacingConfig,
    TrainingConfig,
    train_classifier,
)

TOKENIZER = WordPieceTokenizer(PIECES)
STACK = StackConfig(
    2, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(32, activation="gelu")
)
CONFIG = TextEncoderConfig(len(PIECES), hidden_dim=16, encoder=STACK, max_length=16, dropout=0.0)
UNTRAINED = TrainingConfig(updates=0)
TRAINING = TrainingConfig(
    updates=2, batch_tokens=256, learning_rate=0.003, schedule="constant", evaluate_every=2
)
IDS = np.array([[2, 6, 9, 3], [2, 11, 3, 0]], "int32")
INPUTS = {"token_ids": IDS, "token_type_ids": 0 * IDS}


def texts(count=20, labels=None):
    words, numbers = zip(*examples(count, 0))
    labels = numbers if labels is None else labels
    return LabelledTexts(TOKENIZER, words, labels, max_length=16, token_types=2)


def config(kind="classification", labels=("negative", "positive"), **changes):
    head = HeadConfig(kind, labels=tuple(labels), dropout=0.0, hidden_activation="tanh")
    return CONFIG.replace(head=dataclasses.replace(head, **changes))


def make(*arguments, seed=1, **changes):
    keras.utils.set_random_seed(seed)
    encoder = TextEncoder(config(*arguments, **changes))
    generator = np.random.default_rng(seed)
    for weight in encoder.model.weights:
        weight.assign(weight + 0.3 * generator.standard_normal(weight.shape))
    return encoder


def logits(encoder):
    return np.asarray(encoder.model(INPUTS)["logits"])


def begin(start, target, training=UNTRAINED, folder="unused", **options):
    said = []
    encoder, _ = train_classifier(
        target,
        texts(),
        texts(),
        training,
        folder,
        start=start,
        verbose=0,
        log=said.append,
        **options,
    )
    return encoder, said


@pytest.mark.parametrize(
    ("labels", "order", "said"),
    [
        (("negative", "positive"), [0, 1], []),
        (("positive", "negative"), [1, 0], ["negative is negative (1), positive is positive (0)"]),
        (("Positive", "NEGATIVE"), [1, 0], ["negative is NEGATIVE (1), positive is Positive (0)"]),
        (("mixed", "positive", "negative"), [2, 1], ["negative is negative (2), positive is pos"]),
    ],
)
def test_a_start_with_another_order(labels, order, said):
    start = make(labels=labels)
    encoder, found = begin(start, config())
    np.testing.assert_allclose(logits(encoder), logits(start)[:, order], atol=1e-6)
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found))


OTHERS = {
    "classes": {"labels": ("good", "bad")},
    "fewer": {"labels": ("positive", "fine")},
    "unnamed": {"labels": (), "num_classes": 2},
    "kind": {"kind": "multi_label_classification"},
    "tokens": {"kind": "token_classification"},
    "vectors": {"kind": "embedding", "labels": ()},
    "pooling": {"pooling": "mean"},
    "activation": {"hidden_activation": "relu"},
}


@pytest.mark.costly
@pytest.mark.parametrize("name", OTHERS)
def test_other_heads_start_anew(name, tmp_path):
    start = make(**OTHERS[name])
    left = transfer_weights(start, TextEncoder(config()))
    hidden = ["head_hidden"] if name in ("tokens", "pooling", "activation") else []
    assert [layer for layer in left if layer.startswith("head_")] == [*hidden, "head_output"]
    with pytest.raises(InputError, match=r"the head must start anew, .* Received: updates 0"):
        begin(start, config())
    # The predecessor's head would stay random, too.
    frozen = dataclasses.replace(TRAINING, train_only="_layer_")
    with pytest.raises(InputError, match=r"would not be trained. Received: train_only _layer_"):
        begin(start, config(), frozen)


@pytest.mark.slow
@one_flavour
def test_theseus_keeps_the_classes(tmp_path):
    """The successors' model has the predecessor's head, in the order of the new classes."""
    start = make(labels=("positive", "negative"))
    target = config()
    target = target.replace(encoder=dataclasses.replace(STACK, successors=1))
    training = dataclasses.replace(TRAINING, train_only="_module_", replacing=ReplacingConfig())
    encoder, said = begin(start, target, training, tmp_path)
    for former, weights in zip(
        start.layer("head_output").get_weights(), encoder.layer("head_output").get_weights()
    ):
        np.testing.assert_array_equal(weights, former[..., ::-1])
    assert said[0].startswith("classes go by name: negative is negative (1)")


def test_texts_beyond_the_teachers_limit(tmp_path):
    training = dataclasses.replace(TRAINING, distillation=DistillationConfig())
    teacher = TextEncoder(config().replace(max_length=3))
    with pytest.raises(InputError, match="The teacher takes texts of 3 tokens at most"):
        begin(None, config(), training, tmp_path, teacher=teacher)


def words_of(count, seed):
    """Texts with a class for each list of words, any number of which they have."""
    generator = np.random.default_rng(seed)
    members = generator.integers(0, 2, (count, 2))
    words = [
        " ".join(
            ["the", "film"]
            + [str(generator.choice(GOOD))] * good
            + [str(generator.choice(BAD))] * bad
        )
        for good, bad in members
    ]
    return words, members


def labelled(words, labels):
    return LabelledTexts(TOKENIZER, words, labels, max_length=16, token_types=2)


def easy(*arguments, **changes):
    """A model that soon learns which words texts have."""
    target = config(*arguments, pooling="mean", hidden_activation=None, **changes)
    return target.replace(encoder=dataclasses.replace(STACK, num_layers=1))


LEARNING = TrainingConfig(
    updates=160,
    batch_tokens=512,
    learning_rate=0.003,
    schedule="constant",
    label_smoothing=0.0,
    evaluate_every=160,
)


@pytest.mark.slow
def test_several_classes_a_text_are_learnt(tmp_path):
    target = easy("multi_label_classification", ("good", "bad"))
    train, valid = (labelled(*words_of(count, seed)) for seed, count in enumerate((100, 20)))
    encoder, history = train_classifier(target, train, valid, LEARNING, tmp_path, verbose=0)
    assert history[-1]["val_f1"] > 0.95
    inputs, members = valid.batch(np.arange(20))
    found = np.asarray(encoder.model(inputs)["logits"], np.float64)
    loss = np.mean(np.log1p(np.exp(-np.abs(found))) + np.maximum(found, 0) - found * members)
    assert history[-1]["val_loss"] == pytest.approx(loss, rel=1e-3)
    agreed = 2 * np.sum((found > 0) & (members == 1)) / (np.sum(found > 0) + np.sum(members))
    assert history[-1]["val_f1"] == pytest.approx(agreed)


@one_flavour
@pytest.mark.costly
@pytest.mark.parametrize("columns", [None, 2])
def test_scores_are_learnt(columns, tmp_path):
    """A label of -1 counts as any other."""
    kept = []
    for seed, count in enumerate((100, 20)):
        words, members = words_of(count, seed)
        scores = 1.0 * members if columns == 2 else 1.0 * (members[:, :1] - members[:, 1:])
        kept.append(labelled(words, scores[:, 0] if columns is None else scores))
    target = easy("regression", (), num_classes=columns)
    encoder, history = train_classifier(target, *kept, LEARNING, tmp_path, verbose=0)
    assert history[-1]["val_r2"] > 0.9
    inputs, scores = kept[1].batch(np.arange(20))
    found = np.asarray(encoder.model(inputs)["logits"], np.float64)
    scores = scores.reshape(found.shape)
    assert history[-1]["val_loss"] == pytest.approx(np.mean((found - scores) ** 2), rel=1e-3)
    variance = np.sum((scores - scores.mean(0)) ** 2)
    explained = 1 - np.sum((found - scores) ** 2) / variance
    assert history[-1]["val_r2"] == pytest.approx(explained, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "labels", "message"),
    [
        ("classification", [0.5] * 20, "the number of one class a text.* type float32"),
        ("classification", [[0, 1]] * 20, r"one class a text. Received: labels of shape \(20, 2\)"),
        ("multi_label_classification", [1] * 20, "needs 2 labels a text, one for each class"),
        ("multi_label_classification", [[0, 1, 1]] * 20, "needs 2 labels a text"),
        ("multi_label_classification", [[0, 2]] * 20, "must be 0 or 1. Received: 2"),
        ("regression", [1.0] * 20, "regression needs 2 scores a text"),
        ("regression", [[1.0, np.inf]] * 20, "Scores must be finite"),
    ],
)
def test_labels_of_another_kind(kind, labels, message):
    wrong = texts(labels=labels)
    with pytest.raises(InputError, match=message):
        train_classifier(config(kind), wrong, wrong, TRAINING, "unused")
