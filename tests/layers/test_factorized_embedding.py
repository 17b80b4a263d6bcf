import numpy as np
import pytest
import tensorflow as tf
from layers.harness import (
    LEGACY_KERAS,
    assert_close,
    normal,
    randomize,
    run_layer_test,
    run_step_test,
)
from tensorflow import keras

from tfcompress.layers import FactorizedEmbedding, LearnedPosition, SinusoidalPosition

V, H, E, T, LENGTH = 11, 8, 4, 3, 10
IDS = np.array([[3, 5, 7, 7, 10], [1, 2, 0, 4, 9]], "int32")
TYPES = np.array([[0, 0, 1, 1, 2], [2, 2, 2, 0, 1]], "int32")

OPTIONS = {
    "ordinary": {},
    "ordinary_scaled": {"scale": H**0.5, "use_output_bias": True},
    "ordinary_own": {"tie": "own", "use_bias": True},
    "ordinary_normalized": {"normalize": True, "token_types": T},
    "factorized": {"embedding_dim": E, "scale": E**0.5},
    "factorized_bias": {"embedding_dim": E, "use_bias": True, "use_output_bias": True},
    "factorized_own": {"embedding_dim": E, "tie": "own"},
    "factorized_own_bias": {"embedding_dim": E, "tie": "own", "use_bias": True},
    "factorized_untied": {"embedding_dim": E, "tie": "none", "token_types": 1},
    "factorized_sinusoidal": {"embedding_dim": E, "positions": "sinusoidal", "scale": 2.0},
    "albert": {
        "embedding_dim": E,
        "use_bias": True,
        "use_output_bias": True,
        "normalize": True,
        "positions": "learned",
        "token_types": T,
        "epsilon": 1e-12,
    },
    "projected_first": {
        "embedding_dim": E,
        "use_bias": True,
        "normalize": True,
        "positions": "learned",
        "token_types": T,
        "project_first": True,
    },
    "equal_dims": {"embedding_dim": H, "use_bias": True},
    "wider_table": {"embedding_dim": 2 * H, "tie": "own", "use_bias": True},
}


def make(options, **kwargs):
    positions = {"learned": LearnedPosition(LENGTH), "sinusoidal": SinusoidalPosition()}
    options = {**options, "positions": positions.get(options.get("positions"))}
    return FactorizedEmbedding(V, hidden_dim=H, **options, **kwargs)


def built(options, **kwargs):
    layer = make(options, **kwargs)
    layer(IDS)
    randomize(layer)
    return layer


def parameters(options):
    """The closed formula of the docstring."""
    factorized = "embedding_dim" in options
    width = options.get("embedding_dim", H)
    bias = options.get("use_bias", False)
    count = V * width
    if factorized:
        count += width * H + (H if bias else 0)
    if options.get("tie") == "own":
        count += H * width + (width if bias else 0)
    count += V if options.get("use_output_bias") else 0
    width = H if options.get("project_first") else width
    count += 2 * width if options.get("normalize") else 0
    count += options.get("token_types", 0) * width
    return count + (LENGTH * width if options.get("positions") == "learned" else 0)


@pytest.mark.parametrize("name", OPTIONS)
def test_number_of_parameters(name):
    assert built(OPTIONS[name]).count_params() == parameters(OPTIONS[name])


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs"),
    [
        ({"dropout": 0.3, "positions": "sinusoidal", "tie": "none"}, {}),
        ({**OPTIONS["albert"], "use_output_bias": False}, {"token_type_ids": TYPES}),
        ({**OPTIONS["projected_first"], "tie": "none"}, {"token_type_ids": TYPES}),
    ],
    ids=["ordinary", "albert", "projected_first"],
)
def test_contract(options, call_kwargs):
    run_layer_test(
        lambda: make(options),
        IDS,
        call_kwargs=call_kwargs,
        output_shape=(2, 5, H),
        parameters=parameters(options),
        random_in_training="dropout" in options,
    )


@pytest.mark.parametrize("name", ["factorized", "ordinary_scaled"])
def test_contract_as_the_output_layer(name):
    run_layer_test(
        lambda: make(OPTIONS[name]),
        normal(2, 5, H),
        call_kwargs={"reverse": True},
        output_shape=(2, 5, V),
        parameters=parameters(OPTIONS[name]),
    )


def embed(layer, ids, types):
    """The same in numpy, from the weights by name."""
    x = np.asarray(layer.embeddings)[ids] * (layer.scale or 1)
    if layer.project_first:
        kernel, bias = layer.projection.get_weights()
        x = x @ kernel + bias
    if layer.token_types:
        x = x + np.asarray(layer.type_embeddings)[types]
    if layer.positions is not None:
        x = x + np.asarray(layer.positions(np.zeros_like(x[:1])))
    if layer.normalize:
        gamma, beta = layer.normalization.get_weights()
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + layer.epsilon)
        x = x * gamma + beta
    if layer.embedding_dim is not None and not layer.project_first:
        kernel, *bias = layer.projection.get_weights()
        x = x @ kernel + (bias[0] if bias else 0)
    return x


def logits(layer, hidden):
    table = np.asarray(layer.embeddings)
    if layer.tie == "own":
        kernel, *bias = layer.output_projection.get_weights()
        hidden = hidden @ kernel + (bias[0] if bias else 0)
    elif layer.embedding_dim is not None:
        hidden = hidden @ layer.projection.get_weights()[0].T
    return hidden @ table.T + (np.asarray(layer.output_bias) if layer.use_output_bias else 0)


@pytest.mark.parametrize("name", OPTIONS)
def test_recomputed(name):
    layer = built(OPTIONS[name])
    types = {"token_type_ids": TYPES % layer.token_types} if layer.token_types else {}
    assert_close(layer(IDS, **types), embed(layer, IDS, types.get("token_type_ids")))
    assert_close(layer(IDS), embed(layer, IDS, np.zeros_like(IDS)))
    if layer.tie != "none":
        hidden = normal(2, 5, H)
        assert_close(layer(hidden, reverse=True), logits(layer, hidden))
        assert_close(layer(hidden[0], reverse=True), logits(layer, hidden[0]))


@pytest.mark.parametrize("name", OPTIONS)
def test_step(name):
    run_step_test(built(OPTIONS[name]), IDS)


def test_table_of_unit_vectors():
    layer = FactorizedEmbedding(H, hidden_dim=H, embeddings_initializer="identity")
    assert_close(layer(np.arange(H)[np.newaxis])[0], np.eye(H), 0)
    hidden = normal(2, 3, H)
    assert_close(layer(hidden, reverse=True), hidden, 0)


@pytest.mark.parametrize("tie", ["shared", "own"])
def test_tied_weights_learn_from_both_sides(tie):
    layer = built({"embedding_dim": E, "tie": tie, "use_bias": True, "use_output_bias": True})
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, layer(layer(ids), reverse=True))
    assert model.count_params() == layer.count_params()
    table, unused = layer.embeddings, sorted(set(range(V)) - set(IDS.ravel()))
    table = table if isinstance(table, tf.Variable) else table.value
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(IDS)))
    gradient = np.asarray(tf.convert_to_tensor(tape.gradient(loss, table)))
    assert unused
    assert np.all(np.abs(gradient).max(axis=1) > 0), "every row, even of ids not looked up"


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_ids_of_any_number_type(dtype):
    layer = FactorizedEmbedding(4000, hidden_dim=H, dtype=dtype)
    ids = np.array([[2, 2049, 3999]])
    expected = layer(ids.astype("int32"))
    for number_type in ("int64", "uint16", "float32"):
        assert_close(layer(ids.astype(number_type)), expected, 0, number_type)
    if dtype == "float32":
        model = keras.Sequential([layer, keras.layers.Dense(1)])
        assert model(ids).shape == (1, 3, 1)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4)])
def test_ids_of_any_rank(shape):
    layer = built(OPTIONS["factorized"])
    ids = np.random.default_rng(0).integers(0, V, shape)
    rows = layer(np.arange(V)[np.newaxis])[0]
    assert_close(layer(ids), np.asarray(rows)[ids])


@pytest.mark.skipif(not LEGACY_KERAS, reason="Keras 3 names weights by path")
def test_weights_have_names_of_their_own():
    layer = built(OPTIONS["albert"])
    names = [weight.name for weight in layer.weights]
    assert len(set(names)) == len(names)


def test_float_input_of_a_functional_model():
    ids = keras.Input((None,))
    model = keras.Model(ids, FactorizedEmbedding(V, hidden_dim=H, embedding_dim=E)(ids))
    assert model(IDS.astype("float32")).shape == (2, 5, H)
