import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow import keras

from tfcompress.training import LabelSmoothedCrossentropy


def reference(labels, logits, smoothing):
    """The definition, in float64."""
    logits = logits.astype(np.float64)
    size = logits.shape[-1]
    shifted = logits - logits.max(-1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    target = (1 - smoothing) * np.eye(size)[labels] + smoothing / size
    losses = -(target * log_probabilities).sum(-1)
    counted = labels != 0
    return losses[counted].sum() / max(counted.sum(), 1)


@given(
    seed=st.integers(0, 2**31),
    smoothing=st.floats(0, 0.9),
    scale=st.sampled_from([0.1, 1.0, 30.0]),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 40)),
)
@settings(max_examples=30, deadline=None)
def test_equals_the_definition(seed, smoothing, scale, shape):
    rng = np.random.default_rng(seed)
    logits = (rng.standard_normal(shape) * scale).astype("float32")
    labels = rng.integers(0, shape[-1], shape[:2])
    loss = LabelSmoothedCrossentropy(smoothing)(labels, logits)
    np.testing.assert_allclose(loss, reference(labels, logits, smoothing), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradient_equals_that_of_composed_operations(smoothing):
    rng = np.random.default_rng(0)
    logits = tf.Variable(rng.standard_normal((2, 4, 7)).astype("float32"))
    labels = np.array([[1, 6, 0, 3], [2, 0, 0, 0]])

    def composed():
        target = (1 - smoothing) * tf.one_hot(labels, 7) + smoothing / 7
        losses = tf.nn.softmax_cross_entropy_with_logits(target, logits)
        weights = tf.cast(labels != 0, tf.float32)
        return tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)

    with tf.GradientTape() as tape:
        value = LabelSmoothedCrossentropy(smoothing)(labels, logits) * 3.0
    ours = tape.gradient(value, logits)
    with tf.GradientTape() as tape:
        value = composed() * 3.0
    np.testing.assert_allclose(ours, tape.gradient(value, logits), atol=1e-6)


def test_padding_does_not_count():
    logits = np.random.default_rng(1).standard_normal((1, 3, 5)).astype("float32")
    loss = LabelSmoothedCrossentropy(0.1)
    padded = np.concatenate([logits, 100 * np.ones((1, 2, 5), "float32")], axis=1)
    alone = loss(np.array([[1, 2, 3]]), logits)
    np.testing.assert_allclose(loss(np.array([[1, 2, 3, 0, 0]]), padded), alone, rtol=1e-6)


def test_no_label_at_all_is_zero():
    assert float(LabelSmoothedCrossentropy()(np.zeros((1, 2), int), np.ones((1, 2, 4)))) == 0.0


def test_extreme_logits_stay_finite():
    logits = tf.Variable([[[0.0, 1e4, -1e4, 0.0]]])
    with tf.GradientTape() as tape:
        loss = LabelSmoothedCrossentropy(0.0)(np.array([[2]]), logits)
    np.testing.assert_allclose(loss, 2e4, rtol=1e-6)
    assert np.isfinite(tape.gradient(loss, logits).numpy()).all()


def test_serializes():
    loss = LabelSmoothedCrossentropy(0.2, pad_id=3, name="mine")
    copy = keras.utils.deserialize_keras_object(keras.utils.serialize_keras_object(loss))
    assert (copy.label_smoothing, copy.pad_id, copy.name) == (0.2, 3, "mine")


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_impossible_smoothing(value):
    with pytest.raises(ValueError, match=rf"label_smoothing.*\[0, 1\).*{value}"):
        LabelSmoothedCrossentropy(value)


REDUCTIONS = ("sum_over_batch_size", "sum", "none")


def weights_of(kind, shape, rng):
    """Sample weights of every shape that Keras allows."""
    shapes = {
        "scalar": (),
        "examples": shape[:1],
        "column": (shape[0], 1),
        "labels": shape,
        "labels_column": (*shape, 1),
    }
    return None if kind is None else rng.integers(0, 3, shapes[kind]).astype("float32")


@given(
    seed=st.integers(0, 2**31),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    kind=st.sampled_from([None, "scalar", "examples", "column", "labels", "labels_column"]),
    reduction=st.sampled_from(REDUCTIONS),
    masked=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_keras_weighs_masks_and_reduces_it_like_its_own(seed, shape, kind, reduction, masked):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 7, shape)
    labels[0, 0] = 3  # Keras 2 makes NaN of nothing
    weights = weights_of(kind, shape, rng)
    # Keras 3's own loss takes no weights of examples for losses of labels.
    keras_weights = weights if kind != "examples" else weights[:, np.newaxis]
    logits = tf.constant(rng.standard_normal((*shape, 7)), tf.float32)
    if masked:
        logits._keras_mask = tf.constant(rng.random(shape) < 0.7) | (labels == 3)
    own = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=0, reduction=reduction
    )
    np.testing.assert_allclose(
        LabelSmoothedCrossentropy(0.0, reduction=reduction)(labels, logits, weights),
        own(labels, logits, keras_weights),
        rtol=1e-5,
        atol=1e-5,
    )


def test_labels_of_weight_0_do_not_count():
    rng = np.random.default_rng(0)
    logits = tf.Variable(rng.standard_normal((4, 3, 7)).astype("float32"))
    labels = rng.integers(1, 7, (4, 3))
    with tf.GradientTape() as tape:
        loss = LabelSmoothedCrossentropy(0.0)(labels, logits, sample_weight=[0.0, 0.0, 0.0, 1.0])
    logarithms = tf.nn.log_softmax(logits[3]).numpy()
    expected = -logarithms[np.arange(3), labels[3]].sum() / 12
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    gradient = np.asarray(tape.gradient(loss, logits))
    assert (gradient[:3] == 0).all()
    assert (gradient[3] != 0).any()


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_fit_moves_weights_as_with_the_loss_of_keras(policy):
    rng = np.random.default_rng(0)
    x, y = rng.integers(1, 9, (2, 6, 4))
    weights = np.array([0, 1, 2, 0, 1, 1], "float32")[:, np.newaxis]
    y[2, 2:] = 0
    ends = []
    for loss in (
        LabelSmoothedCrossentropy(0.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
    ):
        keras.utils.set_random_seed(1)
        former = keras.mixed_precision.global_policy()
        keras.mixed_precision.set_global_policy(policy)
        layers = [keras.layers.Embedding(9, 8), keras.layers.Dense(9)]
        model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
        keras.mixed_precision.set_global_policy(former)
        model.compile(keras.optimizers.SGD(1.0), loss)
        model.fit(x, y, sample_weight=weights, batch_size=6, verbose=0)
        ends.append(model.get_weights())
    for one, other in zip(*ends):
        np.testing.assert_allclose(one, other, atol=2e-3 if "16" in policy else 1e-6)


def test_an_id_of_padding_that_is_no_token():
    logits = np.random.default_rng(0).standard_normal((1, 3, 5)).astype("float32")
    loss = LabelSmoothedCrossentropy(0.1, pad_id=-100)
    padded = loss(np.array([[0, 4, -100]]), logits)
    np.testing.assert_allclose(padded, loss(np.array([[0, 4]]), logits[:, :2]), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype):
    # Neither type holds 4,999.
    logits = tf.cast(9 * tf.one_hot([[4999, 3]], 5000), dtype)
    loss = LabelSmoothedCrossentropy(0.1, reduction="none")(np.array([[4999, 3]]), logits)
    assert loss.dtype == "float32"
    exact = LabelSmoothedCrossentropy(0.1, reduction="none")(
        np.array([[4999, 3]]), tf.cast(logits, "float32")
    )
    np.testing.assert_array_equal(loss, exact)


def test_labels_as_keras_2_gives_them():
    logits = np.random.default_rng(0).standard_normal((3, 5)).astype("float32")
    loss = LabelSmoothedCrossentropy(0.1, reduction="none")
    np.testing.assert_array_equal(loss([[1], [2], [0]], logits), loss([1, 2, 0], logits))


def test_the_configuration_keeps_the_reduction():
    loss = LabelSmoothedCrossentropy(0.2, reduction="sum")
    copy = LabelSmoothedCrossentropy.from_config(loss.get_config())
    logits = np.random.default_rng(0).standard_normal((2, 3, 5)).astype("float32")
    labels = np.array([[1, 2, 0], [3, 0, 0]])
    assert float(copy(labels, logits)) == float(loss(labels, logits))
    assert float(loss.mean(labels, logits)) == pytest.approx(float(loss(labels, logits)) / 3)


@pytest.mark.parametrize("shape", [(2,), (1, 3), (1, 2, 4)])
def test_labels_that_do_not_belong_to_the_logits(shape):
    with pytest.raises(ValueError, match=r"Every label needs logits. Received: labels of shape"):
        LabelSmoothedCrossentropy()(np.ones(shape, int), np.zeros((1, 2, 4), "float32"))


@pytest.mark.skipif(not hasattr(keras, "ops"), reason="losses of Keras 2 have no dtype")
def test_other_types_are_refused():
    assert LabelSmoothedCrossentropy(dtype="float32").dtype == "float32"
    with pytest.raises(ValueError, match="computes in float32"):
        LabelSmoothedCrossentropy(dtype="float16")
