import numpy as np
import pytest
from layers.harness import assert_close, normal, randomize, run_layer_test
from tensorflow import keras

from tfcompress.layers import Dense


@pytest.mark.costly
@pytest.mark.parametrize("shape", [(3, 8), (2, 3, 4, 8)])
def test_contract(shape):
    run_layer_test(
        lambda: Dense(6, activation="tanh"),
        normal(*shape),
        output_shape=(*shape[:-1], 6),
        parameters=8 * 6 + 6,
    )


@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("shape", [(3, 8), (2, 5, 8), (2, 3, 4, 8), (1, 1, 8), (2, 0, 8)])
def test_equals_the_keras_layer(shape, use_bias, activation):
    layer = Dense(6, activation=activation, use_bias=use_bias)
    reference = keras.layers.Dense(6, activation=activation, use_bias=use_bias)
    x = normal(*shape)
    layer(x)
    reference(x)
    randomize(layer)
    reference.set_weights(layer.get_weights())
    assert_close(layer(x), reference(x))


def test_takes_integers_as_the_keras_layer_does():
    x = np.arange(12).reshape(2, 6)
    layer = Dense(3)
    y = layer(x)
    assert_close(y, layer(x.astype("float32")), 0)
    assert np.any(y != 0)
