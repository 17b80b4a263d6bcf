import numpy as np
import pytest
import tensorflow as tf
from layers.group_reference import dextra_of, dextra_parameters, swish
from layers.harness import (
    assert_close,
    global_policy,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)
from tensorflow import keras

from tfcompress import scaling
from tfcompress.layers import DExTraEmbedding, FactorizedEmbedding

V, H, E = 11, 16, 8
IDS = np.array([[3, 5, 7, 7, 10], [1, 2, 0, 4, 9]], "int32")
SMALL = {"embedding_dim": E, "num_layers": 2, "max_groups": 2}


def make(vocabulary_size=V, hidden_dim=H, **options):
    return DExTraEmbedding(vocabulary_size, hidden_dim=hidden_dim, **{**SMALL, **options})


def built(*args, **options):
    layer = make(*args, **options)
    layer(IDS % layer.vocabulary_size)
    randomize(layer)
    return layer


def parameters(tie, hidden_dim=H):
    """The closed formula of the docstring."""
    schedule = scaling.dextra_schedule(hidden_dim // 2, hidden_dim, 2 * E, 2, 2)
    count = V * E + dextra_parameters(E, hidden_dim, hidden_dim // 2, schedule)
    return count + (hidden_dim * E if tie == "own" and hidden_dim != E else 0)


def test_contract():
    run_layer_test(
        lambda: make(tie="none", dropout=0.3, transform_dropout=0.1),
        IDS,
        output_shape=(2, 5, H),
        parameters=parameters("none"),
        random_in_training=True,
    )


@pytest.mark.parametrize("hidden_dim", [H, E])
def test_as_the_output_layer(hidden_dim):
    layer = built(hidden_dim=hidden_dim)
    assert layer.count_params() == parameters("own", hidden_dim)
    assert (layer.output_projection is None) == (hidden_dim == E)
    hidden = narrow = normal(2, 5, hidden_dim)
    if hidden_dim != E:
        narrow = hidden @ layer.output_projection.get_weights()[0]
    expected = narrow @ layer.table.get_weights()[0].T
    assert_close(layer(hidden, reverse=True), expected)
    assert_close(layer(hidden[0], reverse=True), expected[0])


def test_tied_in_a_functional_model():
    ids = keras.Input((None,), dtype="int32")
    layer = make()
    model = keras.Model(ids, layer(layer(ids), reverse=True))
    assert model.count_params() == parameters("own")
    table = layer.table.embeddings
    table = table if isinstance(table, tf.Variable) else table.value
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(IDS)))
    gradient = np.asarray(tf.convert_to_tensor(tape.gradient(loss, table)))
    assert np.all(np.abs(gradient).max(axis=1) > 0), "every row, even of ids not looked up"


@pytest.mark.parametrize(
    ("options", "scale"), [({}, E**0.5), ({"scale": 3.0, "shuffle": False}, 3.0)]
)
def test_recomputed(options, scale):
    layer = built(**options)
    x = layer.table.get_weights()[0][IDS] * scale
    expected = dextra_of(layer.transform, x, swish, shuffle=options.get("shuffle", True))
    assert_close(layer(IDS), expected)
    assert_close(layer(IDS.astype("float32")), expected)


def test_step():
    run_step_test(built(), IDS)


def test_defaults():
    layer = DExTraEmbedding(V, hidden_dim=384)
    layer.build((None, None))
    expected = scaling.dextra_schedule(192, 384, 2 * 128, 4, 16)
    assert layer.transform.group_schedule == expected


def test_dropout_takes_the_same_features_at_all_positions():
    layer = make(dropout=0.5)
    same = np.full((4, 7), 3, "int32")
    y = np.asarray(layer(same, training=True))
    assert_close(y, np.repeat(y[:, :1], 7, axis=1), 1e-6)
    assert np.abs(y[0] - y[1]).max() > 1e-3, "another mask for each sequence"


@pytest.mark.parametrize("size", [V, 4096, 4097])
def test_cached_outputs_are_those_computed(size):
    layer = built(size)
    cached = layer.cache_outputs()
    assert isinstance(cached, FactorizedEmbedding)
    ids = np.random.default_rng(0).integers(0, size, (3, 50))
    ids[0, :2] = 0, size - 1
    assert_close(cached(ids), layer(ids), 1e-5)
    assert_close(cached.step(ids[:, 0], 0), layer.step(ids[:, 0], 0), 1e-5)
    assert cached.count_params() == size * H


def test_cached_outputs_in_half_precision():
    with global_policy("mixed_float16"):
        layer = built(dropout=0.5)
        cached = layer.cache_outputs()
    assert cached(IDS).dtype == tf.float16
    assert_close(cached(IDS), layer(IDS), 2e-2)


@pytest.mark.parametrize("tie", ["own", "none"])
def test_cost_of_both_forms(tie):
    layer = make(tie=tie)
    costs = layer.cache_costs()
    schedule = scaling.dextra_schedule(H // 2, H, 2 * E, 2, 2)
    products = zip(schedule.inputs, schedule.outputs, schedule.groups)
    multiply_adds = E * H // 2 + sum(n * m // g for n, m, g in products) + (H // 2 + H) * H
    kept = V * E + H * E if tie == "own" else 0
    assert costs == {
        "computed": {
            "parameters": parameters(tie),
            "bytes": 4 * parameters(tie),
            "multiply_adds": multiply_adds,
        },
        "cached": {
            "parameters": V * H + kept,
            "bytes": 4 * (V * H + kept),
            "multiply_adds": 0,
        },
    }
    assert layer.cache_outputs().count_params() + kept == costs["cached"]["parameters"]


@pytest.mark.costly
@pytest.mark.parametrize("reverse", [False, True])
def test_export(reverse):
    layer = make()
    run_export_test(layer, normal(2, 5, H) if reverse else IDS, call_kwargs={"reverse": reverse})


X = normal(2, 5, H)
CASES = {
    "vocabulary_size": (lambda: make(0), ["`vocabulary_size`", "vocabulary_size=0"]),
    "hidden_dim": (lambda: make(hidden_dim=0), ["`hidden_dim`", "hidden_dim=0"]),
    "embedding_dim": (lambda: make(embedding_dim=0), ["`embedding_dim`", "embedding_dim=0"]),
    "num_layers": (lambda: make(num_layers=1), ["`num_layers`", "num_layers=1"]),
    "tie": (lambda: make(tie="shared"), ["`tie`", "one of own, none", "tie='shared'"]),
    "dropout": (lambda: make(dropout=1.0), ["`dropout`", "dropout=1.0"]),
    "transform_dropout": (
        lambda: make(transform_dropout=1.5),
        ["`transform_dropout`", "transform_dropout=1.5"],
    ),
    "groups": (
        lambda: make(hidden_dim=12, max_groups=4, num_layers=3)(IDS),
        ["4 groups of layer 1", "projection_dim=6", "max_groups=4"],
    ),
    "not_tied": (
        lambda: make(tie="none")(X, reverse=True),
        ["not tied", "tie='none'", "Tie it"],
    ),
    "other_width": (
        lambda: make()(X[..., :5], reverse=True),
        ["width 16", "shape=(2, 5, 5)", "Project it"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
