import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    Seq2SeqTransformer,
    StackConfig,
)
from tfcompress.training import Distillation, LabelSmoothedCrossentropy
from tfcompress.training.accumulation import AccumulatingModel

LOSS = LabelSmoothedCrossentropy(0.1)
RNG = np.random.default_rng(0)
IDS = RNG.integers(3, 20, (4, 6)).astype("int32")
IDS[:, -1] = 2
IDS[1, 3:] = [2, 0, 0]
INPUTS = {
    "source_token_ids": IDS,
    "target_token_ids": np.concatenate([np.ones((4, 1), "int32"), IDS[:, :-1]], axis=1),
}


def make(width=16, depth=2, seed=1, vocabulary=20, **changes):
    keras.utils.set_random_seed(seed)
    stack = StackConfig(depth, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(16))
    config = Seq2SeqConfig(
        vocabulary,
        hidden_dim=width,
        encoder=stack,
        decoder=stack,
        embedding=EmbeddingConfig(share=True),
        dropout=0.0,
        **changes,
    )
    return Seq2SeqTransformer(config)


def divergence(student, teacher, temperature):
    """Mean divergence over tokens, in numpy."""
    scaled = [np.asarray(m.model(INPUTS), np.float64) / temperature for m in (student, teacher)]
    ours, theirs = (x - np.log(np.exp(x).sum(-1, keepdims=True)) for x in scaled)
    return (np.exp(theirs) * (theirs - ours)).sum(-1)[IDS != 0].mean()


@pytest.mark.costly
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_words(weight):
    student, teacher = make(), make(width=24, seed=2)
    objective = Distillation(student, teacher, LOSS, weight=weight, temperature=2.0)
    crossentropy = float(LOSS(IDS, student.model(INPUTS)))
    expected = (1 - weight) * crossentropy + weight * 4 * divergence(student, teacher, 2.0)
    assert float(objective(INPUTS, IDS)) == pytest.approx(expected, rel=1e-5)
    assert objective.helpers == []


def test_a_student_equal_to_its_teacher_learns_nothing_more():
    student, teacher = make(), make()
    objective = Distillation(student, teacher, LOSS, weight=1.0, hidden_weight=1.0)
    assert float(objective(INPUTS, IDS)) == pytest.approx(0.0, abs=1e-6)


def test_hidden_states_of_mapped_layers():
    student, teacher = make(depth=1), make(depth=2, seed=3)
    objective = Distillation(
        student,
        teacher,
        LOSS,
        weight=0.0,
        hidden_weight=1.0,
        encoder_layers=[1],
        decoder_layers=[0],
    )
    ours = student.forward(**INPUTS)
    theirs = teacher.forward(**INPUTS)
    expected = float(LOSS(IDS, ours.logits))
    for a, b in (
        (ours.encoder_states[1], theirs.encoder_states[1]),
        (ours.decoder_states[1], theirs.decoder_states[0]),
    ):
        expected += np.square(np.asarray(a) - np.asarray(b)).mean(-1)[IDS != 0].mean()
    assert float(objective(INPUTS, IDS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_training_brings_the_student_to_its_teacher():
    student, teacher = make(width=8, depth=1), make(width=16, seed=3)
    before = teacher.model.get_weights()
    objective = Distillation(student, teacher, LOSS, weight=1.0, temperature=2.0, hidden_weight=0.1)
    assert len(objective.helpers) == 2
    model = AccumulatingModel(student.model, objective, helpers=objective.helpers)
    model.compile(optimizer=keras.optimizers.Adam(0.02))
    far = divergence(student, teacher, 2.0)
    data = tf.data.Dataset.from_tensors(((INPUTS, IDS),)).repeat(40)
    model.fit(data, verbose=0)
    assert divergence(student, teacher, 2.0) < 0.7 * far
    for weight, old in zip(teacher.model.get_weights(), before):
        np.testing.assert_array_equal(weight, old)
    assert student.model.count_params() == make(width=8, depth=1).model.count_params()


@pytest.mark.costly
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": 1.5}, r"`weight` must lie in \[0, 1\]. Received: 1.5"),
        ({"temperature": 0}, "`temperature` must be positive"),
        ({"hidden_weight": -1}, "`hidden_weight` must not be negative"),
        ({"hidden_weight": 1.0, "encoder_layers": [1]}, "0 to 2, for each of the student's 2"),
        ({"hidden_weight": 1.0, "decoder_layers": [1, 5]}, r"Received: \[1, 5\]"),
    ],
)
def test_impossible(settings, message):
    with pytest.raises(InputError, match=message):
        Distillation(make(), make(), LOSS, **settings)


def test_teacher_of_another_vocabulary():
    with pytest.raises(InputError, match="one vocabulary"):
        Distillation(make(), make(vocabulary=21), LOSS)
