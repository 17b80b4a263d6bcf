"""What Keras and TensorFlow do with models whose layers hold states of random numbers."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
from flavours import LEGACY
from layers import subclassed_models as models
from layers.harness import assert_close
from tensorflow import keras

NAME = "DeFINEEmbedding"
TWO_DEVICES = """
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from layers import subclassed_models as models
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = models.Subclassed("DeFINEEmbedding")
    before = model(models.ids()).numpy()
    models.compile_and_fit(model)
after = model(models.ids()).numpy()
assert np.isfinite(after).all() and np.abs(after - before).max() > 0
"""


def trained():
    model = models.Subclassed(NAME)
    models.compile_and_fit(model)
    return model


@pytest.mark.slow
def test_a_subclassed_model_trains_on_two_devices():
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(LEGACY, reason="Keras 2 cannot copy compiled models")
def test_a_deep_copy_gives_the_same_and_has_weights_of_its_own():
    model = trained()
    expected = model(models.ids())
    other = copy.deepcopy(model)
    assert_close(other(models.ids()), expected, 1e-6)
    models.compile_and_fit(other)
    assert_close(model(models.ids()), expected, 0)


def test_a_clone_is_another_model_that_trains():
    ids = keras.Input((models.LENGTH,), dtype="int32")
    model = keras.Model(ids, keras.layers.Dense(3)(models.LAYERS[NAME]()(ids)))
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    expected = model(models.ids())
    assert_close(other(models.ids()), expected, 1e-6)
    models.compile_and_fit(other)
    assert_close(model(models.ids()), expected, 0)
