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
