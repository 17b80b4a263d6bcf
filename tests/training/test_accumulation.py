"""Updates of AccumulatingModel compared with those of Keras' own `fit`."""

import contextlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tfcompress.training import LabelSmoothedCrossentropy
from tfcompress.training.accumulation import AccumulatingModel, crossentropy, grouped

LOSS = LabelSmoothedCrossentropy(0.1)
RNG = np.random.default_rng(0)
X, Y = RNG.integers(1, 20, (2, 8, 5)).astype("int32")
Y[3, 3:] = Y[6, 1:] = 0
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@contextlib.contextmanager
def global_policy(policy):
    former = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(former)


def make_model(policy, scale=1.0):
    """A model; `scale` says how small its gradients are."""
    keras.utils.set_random_seed(1)
    with global_policy(policy):
        ids = keras.Input((None,), dtype="int32")
        x = keras.layers.Dense(16, activation="relu")(keras.layers.Embedding(20, 8)(ids))
        logits = keras.layers.Dense(20)(x)
        return keras.Model(ids, keras.layers.Rescaling(scale, dtype="float32")(logits))


def trained(policy, optimizer, accumulate=None, updates=2, scale=1.0):
    """The change of every variable and the optimizer, by Keras' fit or with accumulation."""
    model = make_model(policy, scale)
    before = model.get_weights()
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8 // (accumulate or 1)).repeat(updates)
    if accumulate is None:
        model.compile(optimizer, LOSS)
        fitted = model
    else:
        fitted = AccumulatingModel(model, crossentropy(model, LOSS))
        fitted.compile(optimizer=optimizer)
        data = grouped(data, accumulate)
    losses = fitted.fit(data, verbose=0).history["loss"]
    return [a - b for a, b in zip(model.get_weights(), before)], losses, fitted.optimizer


def loss_scale(optimizer):
    return float(optimizer.dynamic_scale if hasattr(keras, "ops") else optimizer.loss_scale)


def assert_alike(ours, theirs, tolerance):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7 + tolerance * np.abs(other).max())


@pytest.mark.costly
@pytest.mark.parametrize(("accumulate", "clip_norm"), [(1, None), (1, 0.05), (2, 0.05)])
@pytest.mark.parametrize("policy", PRECISIONS)
def test_a_step_is_that_of_keras(policy, accumulate, clip_norm):
    def optimizer():
        return keras.optimizers.SGD(1.0, global_clipnorm=clip_norm)

    theirs, losses, _ = trained(policy, optimizer())
    ours, our_losses, used = trained(policy, optimizer(), accumulate)
    rounding = {"float32": 1e-6, "mixed_float16": 2e-3, "mixed_bfloat16": 0.25}[policy]
    assert_alike(ours, theirs, 1e-6 if accumulate == 1 else rounding)
    np.testing.assert_allclose(our_losses, losses, rtol=1e-3)
    length = np.sqrt(sum(np.sum(np.square(change)) for change in ours))
    if clip_norm is not None:
        assert 0.9 * clip_norm < length < 2.1 * clip_norm
    if policy == "mixed_float16":
        assert loss_scale(used) == 2.0**15


def test_adam_treats_rows_of_embeddings_alike():
    theirs, _, _ = trained("float32", keras.optimizers.Adam(0.01))
    ours, _, _ = trained("float32", keras.optimizers.Adam(0.01), 2)
    assert_alike(ours, theirs, 1e-3)


def test_small_gradients_are_not_lost_in_half_precision():
    exact, _, _ = trained("float32", keras.optimizers.SGD(1e6), 1, 1, scale=1e-6)
    half, _, _ = trained("mixed_float16", keras.optimizers.SGD(1e6), 1, 1, scale=1e-6)
    assert_alike(half, exact, 0.1)


@pytest.mark.parametrize("accumulate", [None, 1, 2])
def test_a_step_that_overflows_is_skipped_and_the_scale_halved(accumulate):
    optimizer = keras.mixed_precision.LossScaleOptimizer(
        keras.optimizers.SGD(1.0), initial_scale=2.0**40
    )
    changes, losses, used = trained("mixed_float16", optimizer, accumulate, updates=1)
    assert all((change == 0).all() for change in changes)
    assert loss_scale(used) == 2.0**39
    assert np.isfinite(losses).all()


def test_batches_without_labels_move_nothing():
    model = make_model("float32")
    before = model.get_weights()
    accumulating = AccumulatingModel(model, crossentropy(model, LOSS))
    accumulating.compile(optimizer=keras.optimizers.SGD(1.0))
    data = tf.data.Dataset.from_tensors(((X, 0 * Y), (X, 0 * Y)))
    assert accumulating.fit(data, verbose=0).history["loss"] == [0.0]
    for one, other in zip(model.get_weights(), before):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("element", [(X, Y), ((X, Y, Y),)], ids=["ungrouped", "weighted"])
def test_other_elements_are_refused(element):
    model = make_model("float32")
    accumulating = AccumulatingModel(model, crossentropy(model, LOSS))
    accumulating.compile(optimizer="sgd")
    with pytest.raises(ValueError, match="must be a tuple of batches"):
        accumulating.fit(tf.data.Dataset.from_tensors(element), verbose=0)


_REPLICAS = """
import numpy as np, tensorflow as tf
from tensorflow import keras
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from training.test_accumulation import *

def run(strategy):
    with strategy.scope():
        model = make_model("float32")
        before = model.get_weights()
        accumulating = AccumulatingModel(model, crossentropy(model, LOSS))
        accumulating.compile(optimizer=keras.optimizers.SGD(1.0))
        accumulating.optimizer.build(accumulating.trainable_variables)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    loss = accumulating.fit(grouped(data, 1), verbose=0).history["loss"]
    return [a - b for a, b in zip(model.get_weights(), before)], loss

both, loss = run(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
one, other_loss = run(tf.distribute.get_strategy())
assert_alike(both, one, 1e-5)
np.testing.assert_allclose(loss, other_loss, rtol=1e-5)
"""


@pytest.mark.slow
def test_replicas_make_one_update():
    done = subprocess.run(
        [sys.executable, "-c", _REPLICAS], cwd="tests", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
