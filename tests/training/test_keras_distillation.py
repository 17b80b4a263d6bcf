"""Distillation of Keras models of a stranger's own."""

import numpy as np
import pytest
import tensorflow as tf
from surgery.own_models import IDS, VOCABULARY, WIDTH, Subclassed
from tensorflow import keras

from tfcompress import layers
from tfcompress.callbacks import HeadPruner
from tfcompress.errors import InputError
from tfcompress.layers.common.nested import named_layers
from tfcompress.training import Distillation, KerasDistillation, TextDistillation
from tfcompress.training.hidden_states import divergence

LABELS = np.random.default_rng(2).integers(0, 10, IDS.shape)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def functional(width=WIDTH, gated=False):
    """Token labels, with padding that Keras' masks mark."""
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, width, mask_zero=True)(ids)
    attention = layers.MultiHeadAttention(4, gated=gated, name="attention")
    x = layers.TransformerEncoderLayer(
        attention, feed_forward=layers.FeedForward(24), name="block"
    )(x)
    return keras.Model(ids, keras.layers.Dense(10)(x))


def subclassed():
    model = Subclassed()
    model({"ids": IDS})
    return model


def step(distillation, inputs, labels, weights=None):
    """The loss that a batch is trained with."""
    labels = tf.constant(labels)
    weights = None if weights is None else tf.constant(weights)
    distillation._trains = True
    try:
        outputs = distillation(inputs, training=True)
        return float(distillation.compute_loss(inputs, labels, outputs, weights))
    finally:
        distillation._trains = False


def test_the_loss_is_the_formula():
    student, teacher = functional(), functional(32)
    distillation = KerasDistillation(student, teacher, weight=0.3, temperature=2.0)
    distillation.compile("sgd", LOSS)
    own, taught = student(IDS), teacher(IDS)
    kept = (IDS != 0).astype("f")
    crossentropy = keras.losses.sparse_categorical_crossentropy(LABELS, own, from_logits=True)
    for weights in (None, np.random.default_rng(0).random(IDS.shape, "f")):
        counted = kept if weights is None else kept * weights
        words = np.sum(divergence(own, taught, 2.0) * counted) / counted.sum()
        distillation.weight = 1.0
        assert step(distillation, IDS, LABELS, weights) == pytest.approx(words, rel=1e-5)
    distillation.weight = 0.0
    hard = step(distillation, IDS, LABELS)
    assert hard == pytest.approx(np.sum(crossentropy * kept) / kept.sum(), rel=1e-4)
    distillation.weight = 0.3
    words = np.sum(divergence(own, taught, 2.0) * kept) / kept.sum()
    assert step(distillation, IDS, LABELS) == pytest.approx(0.7 * hard + 0.3 * words, rel=1e-5)


def test_hidden_states_match_themselves():
    student = functional()
    options = {
        "weight": 0.0,
        "hidden_weight": 1.0,
        "inputs": IDS,
        "hidden_layers": {"block": "block"},
    }
    same = KerasDistillation(student, student, **options)
    same.compile("sgd", LOSS)
    alone = KerasDistillation(student, student, weight=0.0)
    alone.compile("sgd", LOSS)
    assert step(same, IDS, LABELS) == step(alone, IDS, LABELS)
    wider = KerasDistillation(student, functional(32), **options)
    wider.compile("sgd", LOSS)
    assert step(wider, IDS, LABELS) > step(alone, IDS, LABELS) + 0.1
    assert [p.units for p in wider.projections] == [32]
    assert len(wider.trainable_weights) == len(student.trainable_weights) + 2


@pytest.mark.slow
@pytest.mark.parametrize("make", [subclassed, functional])
def test_the_student_learns_and_the_teacher_stays(make):
    student, teacher = make(), make()
    inputs = IDS if make is functional else {"ids": IDS}
    before = teacher.get_weights()
    distillation = KerasDistillation(student, teacher, weight=1.0)
    distillation.compile(keras.optimizers.Adam(0.02), LOSS)
    first = step(distillation, inputs, LABELS)
    distillation.fit(inputs, LABELS, epochs=15, verbose=0)
    assert step(distillation, inputs, LABELS) < 0.3 * first
    for was, weight in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(was, weight)
    # Nothing stays behind in the layers, and validation knows no teacher.
    assert not any("call" in vars(x) for x in named_layers(student, keras.layers.Layer).values())
    plain = float(LOSS(LABELS, student(inputs)))
    found = distillation.evaluate(inputs, LABELS, verbose=0)
    assert np.ravel(found)[0] == pytest.approx(plain, rel=1e-4)


@pytest.mark.slow
def test_callbacks_see_the_student():
    student, teacher = functional(gated=True), functional(gated=True)
    distillation = KerasDistillation(student, teacher)
    distillation.compile("sgd", LOSS)
    pruner = HeadPruner([(IDS, LABELS)], LOSS, heads=2, heads_per_step=2)
    distillation.fit(IDS, LABELS, verbose=0, callbacks=[pruner])
    gates = [np.asarray(m.get_layer("block").attention.gates) for m in (student, teacher)]
    assert [np.count_nonzero(g == 0) for g in gates] == [2, 0]


def test_refusals():
    model, options = functional(), {"hidden_weight": 1.0, "inputs": IDS}
    for call, message in [
        (lambda: KerasDistillation(model, model, weight=2.0), "must lie in"),
        (lambda: KerasDistillation(model, model, task="other"), "`task` must be one of"),
        (lambda: KerasDistillation(model, object()), "`teacher` must be a built Keras model"),
        (lambda: KerasDistillation(model, model, **options), "go together"),
        (
            lambda: KerasDistillation(model, model, hidden_layers={"a": "b"}, **options),
            "must name layers of both",
        ),
        (
            lambda: KerasDistillation(
                model, model, hidden_weight=1.0, hidden_layers={"block": "block"}
            ),
            "need `inputs`",
        ),
        (lambda: Distillation(model, model, LOSS), "KerasDistillation"),
        (lambda: TextDistillation(model, model, LOSS), "KerasDistillation"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
