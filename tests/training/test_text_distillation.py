import numpy as np
import pytest
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    HeadConfig,
    StackConfig,
    TextEncoder,
    TextEncoderConfig,
)
from tfcompress.training import LabelSmoothedCrossentropy, TextDistillation

LOSS = LabelSmoothedCrossentropy(0.0, pad_id=-1)
RNG = np.random.default_rng(0)
IDS = RNG.integers(3, 20, (4, 6)).astype("int32")
IDS[1, 4:] = 0
INPUTS = {"token_ids": IDS, "token_type_ids": 0 * IDS}
LABELS = np.array([0, 2, 1, 1], "int32")


def make(width=16, depth=2, seed=1, vocabulary=20, classes=3, **changes):
    keras.utils.set_random_seed(seed)
    stack = StackConfig(depth, AttentionConfig(2), FeedForwardConfig(16))
    head = HeadConfig(num_classes=classes, dropout=0.0) if classes else None
    encoder = TextEncoder(
        TextEncoderConfig(vocabulary, width, stack, max_length=8, dropout=0.0, head=head, **changes)
    )
    for weight in encoder.model.trainable_weights:
        weight.assign(weight + 0.3 * RNG.standard_normal(weight.shape))
    return encoder


def logits(encoder):
    return np.asarray(encoder.model(INPUTS, training=False)["logits"], np.float64)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_classes(weight):
    student, teacher = make(), make(width=24, seed=2)
    objective = TextDistillation(student, teacher, LOSS, weight=weight, temperature=2.0)
    ours, theirs = logits(student) / 2, logits(teacher) / 2
    ours, theirs = (x - np.log(np.exp(x).sum(-1, keepdims=True)) for x in (ours, theirs))
    divergence = (np.exp(theirs) * (theirs - ours)).sum(-1).mean()
    right = logits(student)
    crossentropy = (np.log(np.exp(right).sum(-1)) - right[range(4), LABELS]).mean()
    expected = (1 - weight) * crossentropy + weight * 4 * divergence
    assert float(objective(INPUTS, LABELS)) == pytest.approx(expected, rel=1e-4)
    assert objective.helpers == []


def test_hidden_states_count_without_padding():
    student, teacher = make(depth=1), make(depth=2, seed=3)
    objective = TextDistillation(
        student, teacher, LOSS, weight=0.0, hidden_weight=2.0, encoder_layers=[1]
    )
    ours = np.asarray(student.forward(IDS).encoder_states[1])
    theirs = np.asarray(teacher.forward(IDS).encoder_states[1])
    distance = ((ours - theirs) ** 2).mean(-1)[IDS != 0].mean()
    crossentropy = float(LOSS(LABELS, student.model(INPUTS)["logits"]))
    found = float(objective(INPUTS, LABELS))
    assert found == pytest.approx(crossentropy + 2 * distance, rel=1e-4)


def test_a_student_equal_to_its_teacher_learns_nothing_more():
    teacher = make(width=24)
    objective = TextDistillation(teacher, teacher, LOSS, weight=1.0, hidden_weight=1.0)
    assert float(objective(INPUTS, LABELS)) == pytest.approx(0.0, abs=1e-5)


def test_a_narrow_student_gets_a_projection():
    objective = TextDistillation(make(), make(width=24), LOSS, hidden_weight=1.0)
    assert [helper.units for helper in objective.helpers] == [24]


@pytest.mark.parametrize(
    ("teacher", "options", "message"),
    [
        ({"vocabulary": 21}, {}, "one vocabulary"),
        ({"classes": 4}, {}, "heads for the same classes .received 3 and 4"),
        ({"classes": None, "pooler": False}, {}, "received 3 and none"),
        ({}, {"weight": 1.1}, "`weight` must lie"),
        ({}, {"hidden_weight": 1.0, "encoder_layers": [1, 3]}, "a layer of the teacher, 0 to 2"),
    ],
)
def test_what_does_not_fit(teacher, options, message):
    with pytest.raises(InputError, match=message):
        TextDistillation(make(), make(**teacher), LOSS, **options)
