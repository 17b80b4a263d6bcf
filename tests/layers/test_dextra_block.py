import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.group_reference import dextra_of, dextra_parameters, identity, swish
from layers.harness import assert_close, normal, randomize, run_export_test, run_layer_test

from tfcompress import scaling
from tfcompress.layers import Dense, DExTraBlock, LayerNormalization


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


ACTIVATIONS = {
    "swish": swish,
    "gelu": gelu,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    None: identity,
}


def parameters(layer, width):
    """The closed formula of the docstring."""
    return dextra_parameters(
        width,
        layer.output_dim,
        layer.projection_dim or layer.output_dim,
        layer.group_schedule,
        bias=layer.use_bias,
        normalize=layer.normalize,
    )


def test_contract():
    schedule = scaling.dextra_schedule(16, 16, 64, 3, 4)
    run_layer_test(
        lambda: DExTraBlock(16, num_layers=3, max_groups=4, dropout=0.1),
        normal(2, 5, 32),
        output_shape=(2, 5, 16),
        parameters=dextra_parameters(32, 16, 16, schedule),
        random_in_training=True,
    )


def built(width, *args, **kwargs):
    layer = DExTraBlock(*args, **kwargs)
    layer.build((None, None, width))
    randomize(layer)
    return layer


@settings(max_examples=20)
@given(
    schedule=st.sampled_from(["dextra", "define", "released"]),
    num_layers=st.integers(2, 6),
    parts=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    max_groups=st.sampled_from([1, 2, 4]),
    width_multiplier=st.sampled_from([0.5, 1, 2.143, 3.5]),
    shuffle=st.sampled_from([None, True, False]),
    activation=st.sampled_from(list(ACTIVATIONS)),
    normalize=st.booleans(),
    use_bias=st.booleans(),
)
def test_recomputed(
    schedule,
    num_layers,
    parts,
    max_groups,
    width_multiplier,
    shuffle,
    activation,
    normalize,
    use_bias,
):
    projection_dim, units = (4 * part for part in parts)
    layer = built(
        12,
        units,
        num_layers=num_layers,
        width_multiplier=width_multiplier,
        projection_dim=projection_dim,
        max_groups=max_groups,
        schedule=schedule,
        shuffle=shuffle,
        activation=activation,
        normalize=normalize,
        use_bias=use_bias,
        epsilon=1e-3,
    )
    if not normalize:  # keeps numbers near 1 through many layers
        layer.set_weights([w / 3 for w in layer.get_weights()])
    shuffled = schedule == "dextra" if shuffle is None else shuffle
    x = normal(2, 3, 12)
    expected = dextra_of(layer, x, ACTIVATIONS[activation], shuffle=shuffled)
    assert_close(layer(x), expected, 2e-5 * max(1, np.abs(expected).max()))
    assert_close(layer(x[0]), layer(x)[0], 1e-5 * max(1, np.abs(expected).max()))
    assert layer.count_params() == parameters(layer, 12)


@pytest.mark.parametrize("schedule", ["dextra", "define", "released"])
def test_one_group_is_dense_layers(schedule):
    layer = built(16, 8, num_layers=3, max_groups=1, schedule=schedule)
    assert layer.group_schedule.groups == (1, 1, 1)

    def dense(inner, x):
        kernel, bias, *affine = inner.get_weights()
        linear = Dense(inner.output_dim)
        normalization = LayerNormalization()
        linear.build((None, x.shape[-1]))
        normalization.build((None, inner.output_dim))
        linear.set_weights([kernel[0], bias])
        normalization.set_weights(affine)
        return swish(np.asarray(normalization(linear(x))))

    x = normal(2, 5, 16)
    y = projected = dense(layer.input_projection, x)
    first, *others = layer.transform.group_layers
    y = dense(first, projected)
    for inner in others:
        y = dense(inner, np.concatenate([projected, y], -1))
    y = dense(layer.output_projection, np.concatenate([projected, y], -1))
    assert_close(layer(x), y)


def test_defaults_are_those_of_the_model_s_width():
    layer = built(64, 32, num_layers=4)
    assert layer.group_schedule == scaling.dextra_schedule(32, 32, 128, 4, 2)
    layer = built(96, 48, num_layers=5, width_multiplier=2.5, schedule="define")
    assert layer.group_schedule == scaling.define_schedule(48, 48, 240, 5, 4)
    assert not layer.transform.shuffle
    layer = built(64, 32, num_layers=4, schedule="released", max_groups=4, shuffle=True)
    assert layer.group_schedule == scaling.define_schedule(32, 32, 128, 4, 4, released=True)
    assert layer.transform.shuffle


@pytest.mark.parametrize(
    ("width", "num_layers", "schedule", "activation", "expected"),
    [(64, 4, "dextra", "swish", 15040), (64, 4, "released", "gelu", 22640)],
)
def test_parameters_of_the_reference_code(width, num_layers, schedule, activation, expected):
    layer = built(
        width, 32, num_layers=num_layers, max_groups=4, schedule=schedule, activation=activation
    )
    assert layer.count_params() == expected


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((2, 5, 32), {"max_groups": 4}),
        ((3, 32), {"schedule": "define", "activation": "gelu", "max_groups": 4}),
    ],
    ids=["rank_3", "rank_2_define"],
)
def test_export(shape, options):
    run_export_test(DExTraBlock(16, num_layers=4, **options), normal(*shape))


CASES = {
    "output_dim": (lambda: DExTraBlock(0, num_layers=4), ["`output_dim`", "output_dim=0"]),
    "num_layers": (lambda: DExTraBlock(8, num_layers=1), ["`num_layers`", "num_layers=1"]),
    "width_multiplier": (
        lambda: DExTraBlock(8, num_layers=4, width_multiplier=0.0),
        ["`width_multiplier`", "width_multiplier=0.0"],
    ),
    "projection_dim": (
        lambda: DExTraBlock(8, num_layers=4, projection_dim=0),
        ["`projection_dim`", "projection_dim=0"],
    ),
    "max_groups": (
        lambda: DExTraBlock(8, num_layers=4, max_groups=0),
        ["`max_groups`", "max_groups=0"],
    ),
    "schedule": (
        lambda: DExTraBlock(8, num_layers=4, schedule="paper"),
        ["`schedule`", "one of dextra, define, released", "schedule='paper'"],
    ),
    "dropout": (lambda: DExTraBlock(8, num_layers=4, dropout=1), ["`dropout`", "dropout=1"]),
    "groups": (
        lambda: DExTraBlock(20, num_layers=6, max_groups=8)(normal(2, 40)),
        ["8 groups of layer 2", "projection_dim=20", "max_groups=8", "num_layers=6"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
