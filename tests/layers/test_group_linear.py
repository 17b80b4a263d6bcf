import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.group_reference import group_linear, identity, linear_parameters, swish
from layers.harness import assert_close, normal, randomize, run_export_test, run_layer_test
from tensorflow import keras

from tfcompress.layers import Dense, GroupLinear, LayerNormalization

ACTIVATIONS = {"swish": swish, "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, None: identity}
FULL = {"shuffle": True, "activation": "swish", "normalize": True}


@pytest.mark.parametrize(
    ("shape", "groups", "options", "parameters"),
    [
        ((2, 5, 8), 4, {**FULL, "dropout": 0.3}, 8 * 24 // 4 + 24 + 2 * 6),
        ((3, 8), 1, {"use_bias": False}, 8 * 24),
    ],
    ids=["full", "one_group"],
)
def test_contract(shape, groups, options, parameters):
    run_layer_test(
        lambda: GroupLinear(24, num_groups=groups, **options),
        normal(*shape),
        output_shape=(*shape[:-1], 24),
        parameters=parameters,
        random_in_training="dropout" in options,
    )


@settings(max_examples=25)
@given(
    groups=st.integers(1, 5),
    parts=st.tuples(st.integers(1, 5), st.integers(2, 5)),
    leading=st.sampled_from([(3,), (2, 3), (2, 1, 3), (0,)]),
    activation=st.sampled_from(list(ACTIVATIONS)),
    shuffle=st.booleans(),
    normalize=st.booleans(),
    use_bias=st.booleans(),
)
def test_recomputed(groups, parts, leading, activation, shuffle, normalize, use_bias):
    inputs, units = (groups * part for part in parts)
    options = {"shuffle": shuffle, "use_bias": use_bias, "epsilon": 1e-3}
    layer = GroupLinear(
        units, num_groups=groups, activation=activation, normalize=normalize, **options
    )
    x = normal(*leading, inputs)
    layer(x)
    randomize(layer)
    expected = group_linear(x, layer.get_weights(), ACTIVATIONS[activation], **options)
    assert_close(layer(x), expected.reshape(*leading, units))
    options = {"bias": use_bias, "normalize": normalize}
    assert layer.count_params() == linear_parameters(inputs, units, groups, **options)


def built(width, *args, **kwargs):
    layer = GroupLinear(*args, **kwargs)
    layer.build((None, width))
    randomize(layer)
    return layer


@pytest.mark.parametrize("shuffle", [False, True])
def test_one_group_is_a_dense_layer_and_a_normalization(shuffle):
    layer = built(8, 12, num_groups=1, shuffle=shuffle, activation="swish", normalize=True)
    kernel, bias, gamma, beta = layer.get_weights()
    dense, normalization = Dense(12), LayerNormalization()
    dense.build((None, 8))
    normalization.build((None, 12))
    dense.set_weights([kernel[0], bias])
    normalization.set_weights([gamma, beta])
    x = normal(2, 5, 8)
    assert_close(layer(x), keras.activations.swish(normalization(dense(x))), 1e-6)


def test_is_a_dense_layer_of_blocks_on_the_diagonal():
    layer = built(8, 12, num_groups=4)
    kernel, bias = layer.get_weights()
    whole = np.zeros((8, 12), "float32")
    for k in range(4):
        whole[2 * k : 2 * k + 2, 3 * k : 3 * k + 3] = kernel[k]
    x = normal(2, 5, 8)
    assert_close(layer(x), x @ whole + bias)


def test_shuffle_interleaves_the_groups():
    layer = GroupLinear(6, num_groups=2, shuffle=True)
    layer.build((None, 6))
    layer.set_weights([np.stack([np.eye(3)] * 2), np.zeros(6)])
    x = np.array([[10, 11, 12, 20, 21, 22]], "float32")
    assert_close(layer(x), [[10, 20, 11, 21, 12, 22]], 0)


def test_groups_are_normalized_alone():
    layer = GroupLinear(8, num_groups=2, normalize=True)
    layer.build((None, 8))
    layer.set_weights([np.stack([np.eye(4)] * 2), np.zeros(8), np.ones(4), np.zeros(4)])
    x = normal(3, 8) * np.repeat([1, 100], 4).astype("float32")
    halves = np.asarray(layer(x)).reshape(3, 2, 4)
    assert_close(halves.mean(-1), np.zeros((3, 2)))
    assert_close(halves.var(-1), np.ones((3, 2)), 1e-3)


def test_every_group_starts_with_its_own_glorot_kernel():
    kernel = GroupLinear(256, num_groups=4)
    kernel.build((None, 128))
    kernel = kernel.get_weights()[0]
    limit = np.sqrt(6 / (32 + 64))
    for part in kernel:
        assert 0.97 * limit < np.abs(part).max() <= limit
    assert not np.array_equal(kernel[0], kernel[1])


def test_initializer_of_a_group():
    layer = GroupLinear(4, num_groups=2, kernel_initializer="identity", use_bias=False)
    x = normal(3, 4)
    assert_close(layer(x), x, 0)


@pytest.mark.costly
@pytest.mark.parametrize("shape", [(3, 8), (2, 5, 8)], ids=["rank_2", "rank_3"])
@pytest.mark.parametrize("groups", [1, 4])
def test_export(shape, groups):
    run_export_test(GroupLinear(24, num_groups=groups, **FULL), normal(*shape))


@pytest.mark.parametrize(("groups", "operation"), [(1, "FULLY_CONNECTED"), (8, "BATCH_MATMUL")])
def test_converts_to_one_product(groups, operation):
    layer = built(32, 64, num_groups=groups, **FULL)
    run = tf.function(lambda x: layer(x), input_signature=[tf.TensorSpec([None, 32])])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    interpreter = Interpreter(model_content=converter.convert())
    names = [details["op_name"] for details in interpreter._get_ops_details()]
    products = [name for name in names if name in ("FULLY_CONNECTED", "BATCH_MATMUL")]
    assert products == [operation]
    assert names.count("TRANSPOSE") == (2 if groups > 1 else 0)


CASES = {
    "output_dim": (lambda: GroupLinear(0, num_groups=1), ["`output_dim`", "output_dim=0"]),
    "num_groups": (lambda: GroupLinear(8, num_groups=0), ["`num_groups`", "num_groups=0"]),
    "units_not_divisible": (
        lambda: GroupLinear(8, num_groups=3),
        ["divisible", "output_dim=8, num_groups=3"],
    ),
    "width_not_divisible": (
        lambda: GroupLinear(8, num_groups=4)(normal(2, 6)),
        ["input width", "width=6, num_groups=4"],
    ),
    "dropout": (lambda: GroupLinear(8, num_groups=4, dropout=1.0), ["`dropout`", "dropout=1.0"]),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
