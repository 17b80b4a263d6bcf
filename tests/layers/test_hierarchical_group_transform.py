import numpy as np
import pytest
from layers.group_reference import identity, linear_parameters, swish, transform
from layers.harness import assert_close, normal, randomize, run_export_test, run_layer_test

from tfcompress.layers import GroupLinear, HierarchicalGroupTransform

UNITS, GROUPS = (8, 24, 12), (2, 4, 1)


def parameters(width, units, groups, **options):
    """The closed formula of the docstring."""
    inputs = (width, *(width + before for before in units[:-1]))
    return sum(linear_parameters(*sizes, **options) for sizes in zip(inputs, units, groups))


def test_contract():
    run_layer_test(
        lambda: HierarchicalGroupTransform(UNITS, num_groups=GROUPS, dropout=0.2),
        normal(2, 5, 8),
        output_shape=(2, 5, 12),
        parameters=parameters(8, UNITS, GROUPS),
        random_in_training=True,
    )


@pytest.mark.parametrize(
    ("units", "groups", "options", "activation"),
    [
        (UNITS, GROUPS, {}, swish),
        (UNITS, GROUPS, {"shuffle": False, "activation": "relu"}, lambda x: np.maximum(x, 0)),
        ((6, 4), (1, 2), {"normalize": False, "activation": "tanh"}, np.tanh),
        ((4, 4, 4, 4), (4, 2, 1, 2), {"normalize": False, "activation": None}, identity),
        ((8, 8, 16), (8, 4, 2), {"use_bias": False, "epsilon": 1e-2}, swish),
    ],
)
def test_recomputed(units, groups, options, activation):
    layer = HierarchicalGroupTransform(units, num_groups=groups, **options)
    x = normal(2, 3, 8)
    layer(x)
    randomize(layer)
    weights = [inner.get_weights() for inner in layer.group_layers]
    names = ("shuffle", "use_bias", "epsilon")
    expected = transform(x, weights, activation, **{name: getattr(layer, name) for name in names})
    assert_close(layer(x), expected, 2e-5)
    assert_close(layer(x[0]), expected[0], 2e-5)
    counted = {"bias": layer.use_bias, "normalize": layer.normalize}
    assert layer.count_params() == parameters(8, units, groups, **counted)


def test_one_layer_is_a_group_linear():
    layer = HierarchicalGroupTransform([12], num_groups=[4])
    alone = GroupLinear(12, num_groups=4, shuffle=True, activation="swish", normalize=True)
    x = normal(2, 5, 8)
    layer(x), alone(x)
    randomize(alone)
    layer.set_weights(alone.get_weights())
    assert_close(layer(x), alone(x), 0)


def test_positions_do_not_mix():
    layer = HierarchicalGroupTransform(UNITS, num_groups=GROUPS)
    x = normal(2, 5, 8)
    assert_close(layer(x)[:, 2:3], layer(x[:, 2:3]), 1e-6)


def test_export():
    run_export_test(HierarchicalGroupTransform(UNITS, num_groups=GROUPS), normal(2, 5, 8))


CASES = {
    "none": (
        lambda: HierarchicalGroupTransform([], num_groups=[]),
        ["one entry", "output_dims=()"],
    ),
    "lengths": (
        lambda: HierarchicalGroupTransform([8, 8], num_groups=[2]),
        ["one entry", "output_dims=(8, 8), num_groups=(2,)"],
    ),
    "between_layers": (
        lambda: HierarchicalGroupTransform([6, 8], num_groups=[2, 4]),
        ["layer before", "4 groups after a width of 6", "num_groups=(2, 4)"],
    ),
    "no_groups": (
        lambda: HierarchicalGroupTransform([6, 8], num_groups=[2, 0]),
        ["0 groups after a width of 6"],
    ),
    "input": (
        lambda: HierarchicalGroupTransform([8, 8], num_groups=[2, 4])(normal(2, 6)),
        ["input width", "width=6, num_groups=(2, 4)"],
    ),
    "dropout": (
        lambda: HierarchicalGroupTransform([8], num_groups=[2], dropout=-1),
        ["`dropout`", "dropout=-1"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
