import numpy as np
import pytest
import tensorflow as tf
from layers.harness import assert_close, normal, run_layer_test
from tensorflow import keras

from tfcompress.layers import Dropout

ONES = np.ones((100, 100), "float32")


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_contract(rate):
    run_layer_test(
        lambda: Dropout(rate),
        normal(2, 5, 8),
        output_shape=(2, 5, 8),
        parameters=0,
        random_in_training=rate > 0,
    )


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_drops_the_given_part_and_scales_up_the_rest(rate, dtype):
    y = np.asarray(Dropout(rate, dtype=dtype)(ONES, training=True), "float64")
    assert abs(np.mean(y == 0) - rate) < 0.03
    assert_close(y[y != 0], np.full(np.sum(y != 0), 1 / (1 - rate)), 1e-2)


@pytest.mark.parametrize("training", [False, None])
def test_passes_the_input_on_outside_training(training):
    assert_close(Dropout(0.5)(ONES, training=training), ONES, 0)


def test_gradient_flows_through_what_is_kept():
    layer, x = Dropout(0.5), tf.constant(ONES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    assert_close(tape.gradient(y, x), y, 0)


def test_draws_anew_each_time_and_as_the_seed_says():
    def draw():
        keras.utils.set_random_seed(3)
        layer = Dropout(0.5)
        return [np.asarray(layer(ONES, training=True)) for _ in range(2)]

    first, second = draw()
    assert not np.array_equal(first, second)
    assert_close(draw(), [first, second], 0)


def test_two_layers_draw_differently():
    draws = [np.asarray(Dropout(0.5)(ONES, training=True)) for _ in range(2)]
    assert not np.array_equal(*draws)


def test_checkpoint_resumes_the_draws(tmp_path):
    def model():
        x = keras.Input((100,))
        return keras.Model(x, Dropout(0.5)(x))

    first, second = model(), model()
    first(ONES, training=True)
    path = tf.train.Checkpoint(model=first).write(str(tmp_path / "checkpoint"))
    expected = first(ONES, training=True)
    tf.train.Checkpoint(model=second).read(path).assert_consumed()
    assert_close(second(ONES, training=True), expected, 0)
