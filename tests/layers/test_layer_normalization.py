import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.harness import assert_close, normal, randomize, run_layer_test
from tensorflow import keras

from tfcompress.layers import LayerNormalization


def test_contract():
    run_layer_test(LayerNormalization, normal(2, 5, 8), output_shape=(2, 5, 8), parameters=2 * 8)


@pytest.mark.parametrize("epsilon", [1e-12, 1e-5, 1e-3])
def test_equals_the_keras_layer(epsilon):
    layer, reference = LayerNormalization(epsilon), keras.layers.LayerNormalization(epsilon=epsilon)
    x = 3 * normal(2, 5, 16) + 1
    layer(x)
    reference(x)
    randomize(layer)
    reference.set_weights(layer.get_weights())
    assert_close(layer(x), reference(x), 2e-5)


@settings(max_examples=40)
@given(
    shift=st.floats(-100, 100, width=32),
    scale=st.floats(0.5, 100, width=32),
    width=st.integers(2, 40),
)
def test_mean_0_and_variance_1_whatever_the_shift_and_scale(shift, scale, width):
    y = LayerNormalization(1e-12)(normal(4, width) * scale + shift)
    assert_close(np.mean(y, -1), np.zeros(4), 1e-3)
    assert_close(np.var(y, -1), np.ones(4), 1e-2)


def test_equal_values_give_exactly_beta():
    layer = LayerNormalization()
    layer.build((None, 8))
    randomize(layer)
    _, beta = layer.get_weights()
    assert_close(layer(np.full((3, 8), 7.0, "float32")), np.tile(beta, (3, 1)), 0)


def test_half_precision_does_not_overflow_in_the_square():
    x = 1000 * normal(4, 16)
    half = LayerNormalization(dtype="mixed_float16")(x)
    assert_close(half, LayerNormalization()(x), 5e-3)
