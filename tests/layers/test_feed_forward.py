import numpy as np
import pytest
from layers.harness import assert_close, normal, randomize, run_layer_test
from tensorflow import keras

from tfcompress.layers import FeedForward


@keras.utils.register_keras_serializable("tests")
def leaky(x):
    return keras.activations.relu(x - 0.5) + 0.1 * x


@pytest.mark.parametrize(
    ("shape", "options", "parameters"),
    [
        ((2, 5, 8), {"dropout": 0.1}, 2 * 8 * 12 + 12 + 8),
        ((3, 8), {"use_bias": False, "activation": leaky}, 2 * 8 * 12),
    ],
)
def test_contract(shape, options, parameters):
    run_layer_test(
        lambda: FeedForward(12, **options),
        normal(*shape),
        output_shape=shape,
        parameters=parameters,
        random_in_training="dropout" in options,
    )


@pytest.mark.parametrize("shape", [(2, 5, 8), (1, 1, 8), (3, 8)])
def test_recomputed(shape):
    layer = FeedForward(12)
    x = normal(*shape)
    layer(x)
    randomize(layer)
    w1, b1, w2, b2 = layer.get_weights()
    assert_close(layer(x), np.maximum(x @ w1 + b1, 0) @ w2 + b2)


def test_zero_weights_give_the_last_bias():
    layer = FeedForward(4, kernel_initializer="zeros")
    assert_close(layer(normal(2, 3, 8)), np.zeros((2, 3, 8)), 0)


@pytest.mark.parametrize("activation", [None, "linear"])
def test_without_activation_it_is_one_product(activation):
    layer = FeedForward(12, activation=activation, use_bias=False)
    x = normal(2, 5, 8)
    layer(x)
    w1, w2 = layer.get_weights()
    assert_close(layer(x), x @ (w1 @ w2))


def test_kernels_start_differently():
    layer = FeedForward(8, kernel_initializer="random_normal", use_bias=False)
    layer.build((None, None, 8))
    inner, outer = layer.get_weights()
    assert not np.array_equal(inner, outer)


def test_initializer_may_be_a_function():
    layer = FeedForward(4, kernel_initializer=lambda shape, dtype=None: np.full(shape, 0.5))
    layer.build((None, None, 8))
    assert_close(layer.get_weights()[0], np.full((8, 4), 0.5), 0)
