import numpy as np
import pytest
import tensorflow as tf
from layers.harness import assert_close, normal, randomize, run_layer_test, run_step_test

from tfcompress.layers import LearnedPosition, SinusoidalPosition


def test_sinusoidal_contract():
    run_layer_test(SinusoidalPosition, normal(2, 5, 8), output_shape=(2, 5, 8), parameters=0)


def test_learned_contract():
    run_layer_test(
        lambda: LearnedPosition(30), normal(2, 5, 8), output_shape=(2, 5, 8), parameters=30 * 8
    )


@pytest.mark.parametrize("length", [1, 300])
@pytest.mark.parametrize("width", [4, 6, 512])
def test_sinusoids(length, width):
    half = width // 2
    frequencies = 10000.0 ** (-np.arange(half) / (half - 1))
    angles = np.arange(length)[:, np.newaxis] * frequencies
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    rows = SinusoidalPosition()(np.zeros((1, length, width), "float32"))[0]
    assert_close(rows, expected, 1e-4)


def test_first_sinusoids_are_exact():
    rows = SinusoidalPosition()(np.zeros((1, 2, 8), "float32"))
    assert_close(rows[0, 0], [0] * 4 + [1] * 4, 0)


def test_first_position():
    x = np.zeros((1, 5, 8), "float32")
    layer = SinusoidalPosition(first_position=2)
    assert_close(layer(x[:, :3]), SinusoidalPosition()(x)[:, 2:], 1e-6)
    assert SinusoidalPosition.from_config(layer.get_config()).first_position == 2
    run_step_test(layer, normal(2, 5, 8))
    with pytest.raises(ValueError, match="first_position=-1"):
        SinusoidalPosition(first_position=-1)


def test_learned_rows_are_the_table():
    layer = LearnedPosition(6)
    layer.build((None, None, 8))
    randomize(layer)
    (table,) = layer.get_weights()
    x = normal(3, 4, 8)
    assert_close(layer(x), x + table[:4], 0)
    assert_close(layer(np.zeros((1, 6, 8), "float32"))[0], table, 0)


@pytest.mark.parametrize("layer", [SinusoidalPosition(), LearnedPosition(7)])
@pytest.mark.parametrize("shape", [(1, 1, 8), (3, 7, 8)])
def test_step(layer, shape):
    run_step_test(layer, normal(*shape))


@pytest.mark.parametrize("make_layer", [SinusoidalPosition, lambda **kw: LearnedPosition(4, **kw)])
def test_step_in_half_precision(make_layer):
    layer = make_layer(dtype="mixed_float16")
    x = normal(2, 4, 8)
    whole = layer(x)
    step = layer.step(x[:, 3], 3)
    assert step.dtype == tf.float16
    assert_close(step, whole[:, 3], 0)
