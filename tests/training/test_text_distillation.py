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


def make(
    width=16,
    depth=2,
    seed=1,
    vocabulary=20,
    classes=3,
    labels=(),
    kind="classification",
    **changes,
):
    keras.utils.set_random_seed(seed)
    stack = StackConfig(depth, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(16))
    head = None
    if classes:
        head = HeadConfig(kind, num_classes=None if labels else classes, labels=labels, dropout=0.0)
    encoder = TextEncoder(
        TextEncoderConfig(
            vocabulary,
            hidden_dim=width,
            encoder=stack,
            max_length=8,
            dropout=0.0,
            head=head,
            **changes,
        )
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


def test_hidden_states_alone_need_no_classes():
    teacher = make(seed=2, classes=None)
    objective = TextDistillation(make(), teacher, LOSS, weight=0.0, hidden_weight=1.0)
    assert float(objective(INPUTS, LABELS)) > 0


def test_a_student_equal_to_its_teacher_learns_nothing_more():
    teacher = make(width=24)
    objective = TextDistillation(teacher, teacher, LOSS, weight=1.0, hidden_weight=1.0)
    assert float(objective(INPUTS, LABELS)) == pytest.approx(0.0, abs=1e-5)


def test_a_narrow_student_gets_a_projection():
    objective = TextDistillation(make(), make(width=24), LOSS, hidden_weight=1.0)
    assert [helper.units for helper in objective.helpers] == [24]


@pytest.mark.costly
@pytest.mark.parametrize(
    ("teacher", "options", "message"),
    [
        ({"vocabulary": 21}, {}, "one vocabulary"),
        ({"classes": 4}, {}, "for the same classes.* teacher that has the classes 0, 1, 2, 3"),
        ({"classes": None, "pooler": False}, {}, "a teacher that has no head, not one for classif"),
        ({"labels": ("a", "b", "d")}, {}, "a teacher that has the classes a, b, d, not a, b, c"),
        ({"token_types": 1}, {}, "must have the student's token types. Received: .* 1 and 2"),
        ({"kind": "multi_label_classification"}, {}, "a head for multi_label_classification, not"),
        ({}, {"weight": 1.1}, "`weight` must lie"),
        ({}, {"hidden_weight": 1.0, "encoder_layers": [1, 3]}, "a layer of the teacher, 0 to 2"),
    ],
)
def test_what_does_not_fit(teacher, options, message):
    student = make(labels=("a", "b", "c") if "labels" in teacher else ())
    with pytest.raises(InputError, match=message):
        TextDistillation(student, make(**teacher), LOSS, **options)


TYPES = RNG.integers(0, 2, IDS.shape).astype("int32")


def test_the_teacher_gets_all_inputs():
    inputs = {"token_ids": IDS, "token_type_ids": TYPES}
    student, teacher = make(), make(width=24, seed=2)
    objective = TextDistillation(student, teacher, LOSS, weight=1.0, hidden_weight=0.5)
    found = float(objective(inputs, LABELS))
    untyped = float(objective(INPUTS, LABELS))
    assert abs(found - untyped) > 1e-3
    theirs = np.asarray(teacher.model(inputs)["logits"], np.float64)
    ours = np.asarray(student.model(inputs)["logits"], np.float64)
    only = TextDistillation(student, teacher, LOSS, weight=1.0)
    ours, theirs = (x - np.log(np.exp(x).sum(-1, keepdims=True)) for x in (ours, theirs))
    expected = (np.exp(theirs) * (theirs - ours)).sum(-1).mean()
    assert float(only(inputs, LABELS)) == pytest.approx(expected, rel=1e-4)
    # A student that is its teacher has nothing left to learn, whatever the inputs are.
    same = TextDistillation(teacher, teacher, LOSS, weight=1.0, hidden_weight=1.0)
    assert float(same(inputs, LABELS)) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("side", ["student", "teacher"])
def test_only_one_has_token_types(side):
    """What has none takes no notice of them."""
    inputs = {"token_ids": IDS, "token_type_ids": TYPES}
    without = {"token_types": 0}
    student = make(**(without if side == "student" else {}))
    teacher = make(seed=2, **(without if side == "teacher" else {}))
    assert np.isfinite(float(TextDistillation(student, teacher, LOSS)(inputs, LABELS)))


@pytest.mark.costly
@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (("c", "a", "b"), [1, 2, 0]),
        (("B", "C", "A"), [2, 0, 1]),
        (("x", "b", "a", "y", "c"), [2, 1, 4]),
    ],
)
def test_classes_in_another_order(labels, order):
    """The teacher teaches what it knows of the student's classes."""
    ours = ("a", "b", "c")
    teacher = make(seed=2, classes=len(labels), labels=labels)
    student = make(labels=ours)
    sorted_teacher = make(seed=2, labels=ours)
    for layer in teacher.model.layers:
        weights = layer.get_weights()
        if layer.name == "head_output":
            weights = [weight[..., order] for weight in weights]
        sorted_teacher.layer(layer.name).set_weights(weights)
    found = TextDistillation(student, teacher, LOSS, weight=0.7, temperature=2.0)
    expected = TextDistillation(student, sorted_teacher, LOSS, weight=0.7, temperature=2.0)
    assert float(found(INPUTS, LABELS)) == pytest.approx(float(expected(INPUTS, LABELS)), rel=1e-5)
    assert found.message.startswith("classes go by name: a is ")
    assert expected.message is None


def test_several_classes_a_text():
    kind = {"kind": "multi_label_classification"}
    student, teacher = make(**kind), make(seed=2, **kind)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    labels = np.array([[0, 1, 1], [0, 0, 0], [1, 1, 1], [1, 0, 0]], "float32")
    objective = TextDistillation(student, teacher, loss, weight=0.25, temperature=2.0)

    def crossentropy(p, x):
        return np.mean(np.log1p(np.exp(x)) - p * x)

    ours, theirs = logits(student), logits(teacher)
    taught = 1 / (1 + np.exp(-theirs / 2))
    distance = crossentropy(taught, ours / 2) - crossentropy(taught, theirs / 2)
    expected = 0.75 * crossentropy(labels, ours) + 0.25 * 4 * distance
    assert float(objective(INPUTS, labels)) == pytest.approx(expected, rel=1e-4)


def test_scores():
    kind = {"kind": "regression", "classes": 1}
    student, teacher = make(**kind), make(seed=2, **kind)
    loss = keras.losses.MeanSquaredError()
    labels = np.array([[0.5], [-1.0], [2.0], [0.0]], "float32")
    objective = TextDistillation(student, teacher, loss, weight=0.25)
    ours, theirs = logits(student), logits(teacher)
    expected = 0.75 * np.mean((ours - labels) ** 2) + 0.25 * np.mean((ours - theirs) ** 2)
    assert float(objective(INPUTS, labels)) == pytest.approx(expected, rel=1e-4)
