import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.harness import (
    LEGACY_KERAS,
    assert_close,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)
from tensorflow import keras

from tfcompress.export import convert
from tfcompress.layers import AdaptiveEmbedding, FactorizedEmbedding

V, H = 11, 8
CUTOFFS = [3, 7]
IDS = np.array([[3, 5, 7, 7, 10], [1, 2, 0, 4, 9]], "int32")

OPTIONS = {
    "plain": {"cutoffs": CUTOFFS, "factor": 2},
    "narrow": {"cutoffs": CUTOFFS, "factor": 2, "embedding_dim": 4},
    "own": {"cutoffs": CUTOFFS, "factor": 2, "tie_projections": False},
    "narrow_own": {
        "cutoffs": CUTOFFS,
        "factor": 2,
        "embedding_dim": 4,
        "tie_projections": False,
        "scale_bands": False,
    },
    "untied": {"cutoffs": CUTOFFS, "factor": 2, "tie": "none"},
    "equal_widths": {"cutoffs": [1, 2, 10], "factor": 1},
    "floored_widths": {"cutoffs": [4], "factor": 2.5, "embedding_dim": 6},
    "one_band": {"cutoffs": [], "embedding_dim": 4},
    "one_band_own": {"cutoffs": [], "tie_projections": False},
}


def bands(options, vocabulary=V):
    """Where each band begins and ends, and its width."""
    edges = [0, *options["cutoffs"], vocabulary]
    first, factor = options.get("embedding_dim", H), options.get("factor", 4)
    widths = [int(first / factor**i) for i in range(len(edges) - 1)]
    return list(zip(edges, edges[1:], widths))


def parameters(options, vocabulary=V):
    """The closed formula of the docstring."""
    parts = bands(options, vocabulary)
    count = sum((end - start) * width + width * H for start, end, width in parts)
    if options.get("tie") == "none":
        return count
    count += (len(parts) - 1) * H
    if not options.get("tie_projections", True):
        own = parts[1:] if parts[0][2] == H else parts
        count += sum(H * width for _, _, width in own)
    return count


def built(options, vocabulary=V, **kwargs):
    layer = AdaptiveEmbedding(vocabulary, hidden_dim=H, **options, **kwargs)
    layer.build((None, None))
    randomize(layer)
    return layer


@pytest.mark.parametrize("name", OPTIONS)
def test_number_of_parameters(name):
    assert built(OPTIONS[name]).count_params() == parameters(OPTIONS[name])


def test_number_of_parameters_of_a_published_model():
    layer = AdaptiveEmbedding(
        267744, hidden_dim=1024, cutoffs=[20000, 60000], embeddings_initializer="zeros"
    )
    layer.build((None, None))
    assert layer.count_params() == 45_393_920


def test_contract():
    options = {**OPTIONS["untied"], "dropout": 0.3}
    run_layer_test(
        lambda: AdaptiveEmbedding(V, hidden_dim=H, **options),
        IDS,
        output_shape=(2, 5, H),
        parameters=parameters(options),
        random_in_training=True,
    )


def test_contract_as_the_output_layer():
    run_layer_test(
        lambda: AdaptiveEmbedding(V, hidden_dim=H, **OPTIONS["narrow"]),
        normal(2, 5, H),
        call_kwargs={"reverse": True},
        output_shape=(2, 5, V),
        parameters=parameters(OPTIONS["narrow"]),
    )


def embed(layer, options, ids, vocabulary=V):
    """One id after another in numpy."""
    y = np.zeros((*ids.shape, H))
    for index, token in np.ndenumerate(ids):
        for i, (start, end, width) in enumerate(bands(options, vocabulary)):
            if start <= token < end:
                row = np.asarray(layer.embeddings[i])[token - start]
                scale = np.sqrt(width) if options.get("scale_bands", True) else 1
                y[index] = scale * row @ layer.projections[i].get_weights()[0]
    return y


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def log_probabilities(layer, options, hidden, vocabulary=V):
    """Head and tails in numpy."""
    parts, own = bands(options, vocabulary), list(getattr(layer, "output_projections", []))
    scores = []
    for i, (_, _, width) in enumerate(parts):
        x = hidden
        if i > 0 or width != H:
            kernel = layer.projections[i].get_weights()[0].T
            x = x @ (own.pop(0).get_weights()[0] if own else kernel)
        scores.append(x @ np.asarray(layer.embeddings[i]).T)
    assert not own
    if len(parts) == 1:
        return log_softmax(scores[0])
    classes = hidden @ layer.class_projection.get_weights()[0]
    head = log_softmax(np.concatenate([scores[0], classes], axis=-1))
    first = parts[0][1]
    tails = [head[..., first + i, np.newaxis] + log_softmax(x) for i, x in enumerate(scores[1:])]
    return np.concatenate([head[..., :first], *tails], axis=-1)


@pytest.mark.parametrize("name", OPTIONS)
def test_recomputed(name):
    options = OPTIONS[name]
    layer = built(options)
    assert_close(layer(IDS), embed(layer, options, IDS))
    if layer.tie == "shared":
        hidden = normal(2, 5, H)
        expected = log_probabilities(layer, options, hidden)
        assert_close(layer(hidden, reverse=True), expected)
        assert_close(layer(hidden[0], reverse=True), expected[0])


@settings(max_examples=20)
@given(
    vocabulary=st.integers(4, 40),
    cutoffs=st.sets(st.integers(1, 39), max_size=3),
    seed=st.integers(0, 99),
    scale_bands=st.booleans(),
    tie_projections=st.booleans(),
    embedding_dim=st.sampled_from([8, 11]),
)
def test_any_bands(vocabulary, cutoffs, seed, **options):
    options["cutoffs"] = sorted(cutoff for cutoff in cutoffs if cutoff < vocabulary)
    options["factor"] = 2
    layer = built(options, vocabulary)
    ids = np.random.default_rng(seed).permutation(vocabulary)[np.newaxis]
    assert_close(layer(ids), embed(layer, options, ids, vocabulary))
    hidden = normal(1, 3, H, seed=seed)
    y = layer(hidden, reverse=True)
    assert_close(y, log_probabilities(layer, options, hidden, vocabulary))
    assert_close(np.exp(y).sum(axis=-1), np.ones((1, 3)), 1e-5)


@pytest.mark.parametrize("embedding_dim", [None, 4])
def test_one_band_is_an_ordinary_embedding(embedding_dim):
    width = embedding_dim or H
    layer = built({"cutoffs": [], "embedding_dim": embedding_dim})
    ordinary = FactorizedEmbedding(V, hidden_dim=H, embedding_dim=width, scale=width**0.5)
    ordinary(IDS)
    ordinary.set_weights(layer.get_weights())
    assert_close(layer(IDS), ordinary(IDS))
    if embedding_dim:
        hidden = normal(2, 5, H)
        logits = ordinary(hidden, reverse=True)
        assert_close(layer(hidden, reverse=True), tf.nn.log_softmax(logits))


def test_log_probabilities_are_logits_of_a_cross_entropy():
    layer = built(OPTIONS["plain"])
    y = layer(normal(2, 5, H), reverse=True)
    loss = keras.losses.sparse_categorical_crossentropy(IDS, y, from_logits=True)
    picked = np.take_along_axis(np.asarray(y), IDS[..., np.newaxis], axis=-1)[..., 0]
    assert_close(loss, -picked)


def test_rare_words_in_half_precision():
    layer = built(OPTIONS["plain"])
    half = AdaptiveEmbedding(V, hidden_dim=H, **OPTIONS["plain"], dtype="mixed_float16")
    half.build((None, None))
    half.set_weights(layer.get_weights())
    hidden = 20 * normal(2, 5, H)
    y, expected = half(hidden, reverse=True), layer(hidden, reverse=True)
    assert y.dtype == tf.float16
    assert np.min(expected) < -50
    assert_close(y, expected, 2e-3 * np.max(np.abs(expected)))


@pytest.mark.parametrize("name", ["plain", "narrow_own", "one_band"])
def test_step(name):
    run_step_test(built(OPTIONS[name]), IDS)


def test_tied_weights_learn_from_both_sides():
    layer = built(OPTIONS["narrow"])
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, layer(layer(ids), reverse=True))
    assert model.count_params() == layer.count_params()
    few = np.array([[1, 4, 8]])
    tables = [w if isinstance(w, tf.Variable) else w.value for w in layer.embeddings]
    with tf.GradientTape(persistent=True) as tape:
        looked_up = tf.reduce_sum(tf.square(layer(few)))
        loss = tf.reduce_sum(tf.square(model(few)))
    rows = [tf.convert_to_tensor(x) for x in tape.gradient(looked_up, tables)]
    used = np.concatenate([np.any(x != 0, axis=1) for x in rows])
    assert np.flatnonzero(used).tolist() == few[0].tolist(), "only the rows that were looked up"
    for gradient in tape.gradient(loss, tables):
        gradient = np.asarray(tf.convert_to_tensor(gradient))
        assert np.all(np.abs(gradient).max(axis=1) > 0), "every row, of words not looked up too"


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_ids_of_any_number_type_and_rank(dtype):
    layer = AdaptiveEmbedding(4000, hidden_dim=H, cutoffs=[100, 2100], factor=2, dtype=dtype)
    ids = np.array([[[2, 2049], [2101, 3999]]])
    expected = layer(ids)
    assert expected.shape == (1, 2, 2, H)
    for dtype in ("int32", "uint16", "float32"):
        assert_close(layer(ids.astype(dtype)), expected, 0, dtype)
    assert_close(layer(ids.ravel()), np.reshape(expected, (4, H)), 0)


@pytest.mark.parametrize("token", [-1, V])
def test_ids_outside_the_vocabulary_are_an_error(token):
    with pytest.raises(tf.errors.InvalidArgumentError):
        built(OPTIONS["plain"])(np.array([[1, token]]))


@pytest.mark.skipif(not LEGACY_KERAS, reason="Keras 3 names weights by path")
def test_weights_have_names_of_their_own():
    names = [weight.name for weight in built(OPTIONS["narrow_own"]).weights]
    assert len(set(names)) == len(names)


def test_export_of_the_input():
    run_export_test(built(OPTIONS["plain"]), IDS)


def test_export_of_the_output():
    run_export_test(built(OPTIONS["plain"]), normal(2, 5, H), call_kwargs={"reverse": True})


@pytest.mark.costly
@pytest.mark.parametrize("quantization", ["float32", "dynamic_int8"])
def test_export_stores_each_table_once(quantization, tmp_path):
    vocabulary = 6000
    layer = AdaptiveEmbedding(vocabulary, hidden_dim=64, cutoffs=[1000, 3000], factor=2)
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, layer(layer(ids), reverse=True))
    tokens = np.array([[3, 2999, 5999]], "int32")
    convert(model, tmp_path / "bundle", quantization=quantization, samples=[tokens])
    data = (tmp_path / "bundle" / "model.tflite").read_bytes()
    interpreter = Interpreter(
        model_content=data,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    (name,) = interpreter.get_signature_list()["serving_default"]["inputs"]
    (y,) = interpreter.get_signature_runner("serving_default")(**{name: tokens}).values()
    quantized = quantization != "float32"
    assert_close(y, model(tokens), 0.15 if quantized else 1e-4)

    tables = sum(int(np.prod(table.shape)) for table in layer.embeddings)
    # Quantized, each row has a scale and a zero point. The rest is the small projections.
    expected = tables + 12 * vocabulary if quantized else 4 * tables
    assert expected < len(data) < 1.2 * expected


WRONG = {
    "vocabulary_size": ({"vocabulary_size": 0}, ["`vocabulary_size`", "vocabulary_size=0"]),
    "hidden_dim": ({"hidden_dim": -1}, ["`hidden_dim`", "hidden_dim=-1", "at least 1"]),
    "embedding_dim": ({"embedding_dim": 0}, ["`embedding_dim`", "embedding_dim=0"]),
    "factor": ({"factor": 0.5}, ["`factor`", "factor=0.5", "at least 1"]),
    "descending": ({"cutoffs": [7, 3]}, ["must be integers that ascend", "cutoffs=[7, 3]"]),
    "equal": ({"cutoffs": [3, 3]}, ["must be integers that ascend", "cutoffs=[3, 3]"]),
    "fractional": ({"cutoffs": [3.5]}, ["must be integers that ascend", "cutoffs=[3.5]"]),
    "from_zero": ({"cutoffs": [0, 3]}, ["cutoffs=[0, 3]", "Leave both ends out"]),
    "to_the_end": ({"cutoffs": [3, 11]}, ["cutoffs=[3, 11], vocabulary_size=11"]),
    "no_width": (
        {"cutoffs": [2, 3, 4], "factor": 4},
        ["last of 4 bands", "hidden_dim=8, factor=4, cutoffs=[2, 3, 4]", "fewer bands"],
    ),
    "no_width_of_the_table": (
        {"cutoffs": [2], "embedding_dim": 3},
        ["last of 2 bands", "embedding_dim=3, factor=4", "smaller factor"],
    ),
    "tie": ({"tie": "own"}, ["`tie`", "tie='own'", "one of shared, none"]),
    "dropout": ({"dropout": 1.0}, ["`dropout`", "dropout=1.0", "in [0, 1)"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    options, fragments = WRONG[name]
    options = {"vocabulary_size": V, "hidden_dim": H, "cutoffs": [3], **options}
    with pytest.raises(ValueError) as caught:
        AdaptiveEmbedding(**options)
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)


def test_wrong_use_as_the_output_layer():
    with pytest.raises(ValueError, match=r"not tied.*tie='none'.*Tie it"):
        built(OPTIONS["untied"])(normal(2, H), reverse=True)
    with pytest.raises(ValueError, match=r"vectors of width 8.*shape=\(2, 7\).*Project it"):
        built(OPTIONS["plain"])(normal(2, 7), reverse=True)
