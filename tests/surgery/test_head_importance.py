import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from flavours import one_flavour
from hypothesis import given
from hypothesis import strategies as st
from layers.harness import assert_close, global_policy, lengths_mask, normal, randomize
from tensorflow import keras

import tfcompress as tfc
from tfcompress.layers import (
    FeedForward,
    LayerDropWrapper,
    MultiHeadAttention,
    TheseusModule,
    TransformerEncoderLayer,
)
from tfcompress.surgery import head_importance, heads_to_prune, pruning_sequence

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TFCOMPRESS_ORACLES") or REPOSITORY.parent / "shared" / "oracles")
BERT = FOLDER / "head_importance_bert.npz"

X, Y = normal(6, 5, 8), normal(6, 5, 8, seed=1)
MASK = lengths_mask([3, 5, 1, 4, 5, 2], 5)
BATCHES = [(X[:2], Y[:2]), (X[2:], Y[2:])]


def encoder_layer(name, dropout=0.0, **options):
    return TransformerEncoderLayer(
        MultiHeadAttention(2, dropout=dropout, name=f"{name}_attention", **options),
        feed_forward=FeedForward(12),
        dropout=dropout,
        name=name,
    )


def make_model(**options):
    layers = [encoder_layer(name, **options) for name in ("first", "second")]
    model = keras.Sequential([keras.Input((None, 8)), *layers])
    model.compile("sgd", "mse")
    for layer in layers:
        randomize(layer)
    return model


def single(**options):
    """A model of one attention layer."""
    layer = MultiHeadAttention(2, name="attention", **options)
    model = keras.Sequential([keras.Input((None, 8)), layer])
    randomize(layer)
    return model, layer


def products(layer, x, y):
    """What heads give times the gradient of the mean squared error, in numpy: `[B, H, T]`."""
    with layer.recording() as contexts:
        output = np.asarray(layer(x))
    context = np.asarray(contexts[0])
    gradient = 2 * (output - y) / y.size @ layer.output_projection.get_weights()[0].T
    gradient = gradient.reshape(*gradient.shape[:2], 2, 4).transpose(0, 2, 1, 3)
    return np.sum(context * gradient, axis=-1)


@pytest.mark.costly
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("normalize", ["tokens", "examples", None])
@pytest.mark.parametrize("absolute", ["positions", "examples"])
def test_recomputed(absolute, normalize, masked):
    model, layer = single()
    expected, tokens = 0.0, 0
    for start, end in ((0, 2), (2, 6)):
        values = products(layer, X[start:end], Y[start:end])
        counted = MASK[start:end] if masked else np.ones_like(MASK[start:end])
        values = values * counted[:, np.newaxis]
        values = values if absolute == "positions" else values.sum(axis=2, keepdims=True)
        expected += np.abs(values).sum(axis=(0, 2))
        tokens += counted.sum()
    expected = expected / {"tokens": tokens, "examples": 6, None: 1}[normalize]
    batches = [((X[:2], MASK[:2]), Y[:2]), ((X[2:], MASK[2:]), Y[2:])]
    inputs, mask = keras.Input((None, 8)), keras.Input((None,), dtype="bool")
    scores = head_importance(
        keras.Model([inputs, mask], model(inputs)),
        batches,
        "mse",
        query_mask=(lambda inputs, name: inputs[1]) if masked else None,
        absolute=absolute,
        normalize=normalize,
        l2=False,
    )
    assert list(scores) == ["attention"]
    assert_close(scores["attention"], expected, 1e-6 * np.max(expected))


def test_is_the_gradient_for_the_gates():
    model = make_model(gated=True)
    attentions = [layer.attention for layer in model.layers[-2:]]
    gates = [a.gates if isinstance(a.gates, tf.Variable) else a.gates.value for a in attentions]
    expected = np.zeros((2, 2))
    for x, y in zip(X, Y):
        with tf.GradientTape() as tape:
            tape.watch(gates)
            loss = tf.reduce_mean((model(x[np.newaxis]) - y) ** 2)
        expected += np.abs([g * d for g, d in zip(gates, tape.gradient(loss, gates))])
    batches = [(X[i : i + 1], Y[i : i + 1]) for i in range(6)]
    scores = head_importance(model, batches, absolute="examples", normalize=None, l2=False)
    assert list(scores) == ["first_attention", "second_attention"]
    assert_close(list(scores.values()), expected, 1e-5)


@one_flavour
def test_small_gradients_are_not_lost_in_half_precision():
    def loss(labels, outputs):
        return 1e-6 * tf.reduce_mean(tf.square(tf.cast(outputs, tf.float32) - labels))

    model = make_model()
    with global_policy("mixed_float16"):
        half = make_model()
    half.set_weights(model.get_weights())
    exact = head_importance(model, BATCHES, loss, l2=False)
    for name, scores in head_importance(half, BATCHES, loss, l2=False).items():
        np.testing.assert_allclose(scores, exact[name], rtol=0.03)


@one_flavour
def test_layers_have_length_1():
    for scores in head_importance(make_model(), BATCHES).values():
        assert_close(np.sum(scores**2), 1.0, 1e-9)


@one_flavour
def test_a_masked_head_has_no_importance():
    model = make_model(gated=True)
    model.layers[-1].attention.gates.assign([0.0, 1.0])
    assert_close(head_importance(model, BATCHES)["second_attention"], [0.0, 1.0], 1e-9)


def test_dropout_is_off_and_nothing_changes():
    model, still = make_model(dropout=0.5), make_model()
    still.set_weights(model.get_weights())
    before = model.get_weights()
    first, second, expected = (head_importance(m, BATCHES) for m in (model, model, still))
    for name in first:
        assert_close(first[name], second[name], 0)
        assert_close(first[name], expected[name], 1e-6)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations.numpy()) == 0


@pytest.mark.slow
def test_frozen_models_have_the_same_importance():
    model = make_model()
    expected = head_importance(model, BATCHES)
    model.trainable = False
    for name, scores in head_importance(model, BATCHES).items():
        assert_close(scores, expected[name], 1e-6)


class Subclassed(keras.Model):
    def __init__(self, layers):
        super().__init__()
        self.blocks = layers

    def call(self, inputs, training=None):
        for block in self.blocks:
            inputs = block(inputs, training=training)
        return inputs


@pytest.mark.slow
def test_any_kind_of_model():
    model = make_model()
    expected = head_importance(model, BATCHES)
    first, second = model.layers[-2:]
    idle = encoder_layer("idle")
    wrapped = [LayerDropWrapper(first, rate=0.5), TheseusModule([idle], successor=second, rate=0.5)]
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4).take(2)
    for layers, data in (([first, second], BATCHES), (wrapped, dataset)):
        subclassed = Subclassed(layers)
        subclassed(X)
        scores = head_importance(subclassed, data, keras.losses.MeanSquaredError())
        assert list(scores) == list(expected)
        if data is BATCHES:
            for name in scores:
                assert_close(scores[name], expected[name], 1e-6)


@one_flavour
def test_a_shared_layer_counts_each_call():
    layer = encoder_layer("shared")
    x = keras.Input((None, 8))
    shared = keras.Model(x, layer(layer(x)))
    layers = [encoder_layer(name) for name in ("first", "second")]
    separate = keras.Sequential([keras.Input((None, 8)), *layers])
    for copy in layers:
        copy.set_weights(layer.get_weights())
    options = {"loss": "mse", "normalize": None, "l2": False}
    expected = sum(head_importance(separate, BATCHES, **options).values())
    (scores,) = head_importance(shared, BATCHES, **options).values()
    assert_close(scores, expected, 1e-6)


@one_flavour
def test_chosen_layers():
    model = make_model()
    second = model.layers[-1].attention
    scores = head_importance(model, BATCHES, attention_layers=[second])
    assert list(scores) == ["second_attention"]
    assert_close(scores["second_attention"], head_importance(model, BATCHES)["second_attention"], 0)


def test_layers_of_one_name_go_by_their_paths():
    layers = [
        TransformerEncoderLayer(MultiHeadAttention(2, name="same"), name=name) for name in "ab"
    ]
    model = keras.Sequential([keras.Input((None, 8)), *layers])
    assert list(head_importance(model, BATCHES, "mse")) == ["a/attention", "b/attention"]


@one_flavour
def test_sample_weights():
    model = make_model()
    weights = np.array([1, 0, 1, 0, 0, 1], "float32")[:, np.newaxis]
    loss = keras.losses.MeanSquaredError()
    options = {"normalize": None, "l2": False}
    weighted = head_importance(model, [(X, Y, weights)], loss, **options)
    kept = weights[:, 0] > 0
    # The mean goes over all examples, also those of weight 0.
    alone = head_importance(model, [(X[kept], Y[kept])], loss, **options)
    for name in weighted:
        assert_close(weighted[name], alone[name] / 2, 1e-6)


def test_cross_attention_of_a_translator():
    from tfcompress.models import AttentionConfig, FeedForwardConfig, Seq2SeqConfig, StackConfig

    stack = StackConfig(1, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(8))
    config = Seq2SeqConfig(20, hidden_dim=8, encoder=stack, decoder=stack)
    model = tfc.models.Seq2SeqTransformer(config).model
    ids = np.random.default_rng(0).integers(3, 20, (4, 6)).astype("int32")
    inputs = {"source_token_ids": ids, "target_token_ids": ids[:, :5]}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def tokens(inputs, name):
        return inputs["source_token_ids" if "encoder" in name else "target_token_ids"] != 0

    scores = head_importance(model, [(inputs, ids[:, 1:])], loss, query_mask=tokens)
    assert len(scores) == 3
    assert all(np.all(values > 0) for values in scores.values())


def one_batch(**options):
    return head_importance(make_model(), BATCHES, **options)


def unbuilt():
    return head_importance(Subclassed([encoder_layer("first")]), BATCHES, "mse")


def no_attention():
    model = keras.Sequential([keras.Input((None, 8)), FeedForward(4)])
    return head_importance(model, BATCHES, "mse")


def not_compiled():
    return head_importance(single()[0], BATCHES)


def without_path():
    idle = MultiHeadAttention(2, name="idle")
    x = keras.Input((None, 8))
    model = keras.Model(x, [FeedForward(4)(x), idle(x)])
    return head_importance(model, [(X, Y)], lambda labels, outputs: tf.reduce_mean(outputs[0]))


WRONG = {
    "absolute": (lambda: one_batch(absolute="heads"), ["positions, examples", "absolute='heads'"]),
    "normalize": (lambda: one_batch(normalize="batch"), ["`normalize`", "normalize='batch'"]),
    "normalize_value": (
        lambda: one_batch(normalize={"first_attention": "batch"}),
        ["`normalize`", "normalize='batch'"],
    ),
    "normalize_name": (
        lambda: one_batch(normalize={"third": "tokens"}),
        ["must name attention layers", "['third']", "second_attention"],
    ),
    "no_batches": (lambda: head_importance(make_model(), []), ["needs data", "no batches"]),
    "no_tuple": (lambda: head_importance(make_model(), [X]), ["must be a tuple", "ndarray"]),
    "no_loss": (not_compiled, ["needs a loss", "loss=None", "Pass `loss`"]),
    "no_attention": (no_attention, ["must have MultiHeadAttention layers", "with none"]),
    "foreign_layer": (
        lambda: one_batch(attention_layers=[MultiHeadAttention(2)]),
        ["layers of the model", "Pass some of ['first_attention'"],
    ),
    "no_layers": (lambda: one_batch(attention_layers=[]), ["attention_layers=[]"]),
    "not_built": (unbuilt, ["not built", "Call it on a batch first"]),
    "without_path": (without_path, ["must depend on the attention layers", "['idle']"]),
}


@one_flavour
@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    action, fragments = WRONG[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)


def test_the_package_gives_functions_not_modules():
    assert tfc.surgery.head_importance is head_importance
    assert all(callable(getattr(tfc.surgery, name)) for name in tfc.surgery.__all__)


@pytest.mark.skipif(not BERT.exists(), reason=f"no {BERT}")
def test_selection_equals_the_reference_code():
    with np.load(BERT) as file:
        config = json.loads(str(file["config_json"]))
        scores = {str(i): row for i, row in enumerate(file["importance_l2"])}
    for minimum in (0, 1):
        for count, expected in config[f"prune_n_min{minimum}"].items():
            actual = heads_to_prune(scores, int(count), minimum_per_layer=minimum)
            assert actual == expected
            assert list(actual) == list(expected)
    layers = [config["heads"]] * config["layers"]
    assert pruning_sequence(layers, range(5, 101, 5)) == config["seq_5pct_total12"]
    kept = pruning_sequence(layers, range(10, 100, 10), minimum_per_layer=1)
    assert kept == config["seq_10pct_keep1_total12"]


SCORES = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]), max_size=5)
)


@given(SCORES, st.integers(0, 12), st.integers(0, 12), st.integers(0, 3))
def test_the_least_important_heads_go_first(scores, first, more, minimum):
    once = heads_to_prune(scores, first + more, minimum_per_layer=minimum)
    before = heads_to_prune(scores, first, minimum_per_layer=minimum)
    twice = heads_to_prune(scores, more, minimum_per_layer=minimum, already=before)
    assert twice == once
    pruned = sum(map(len, once.values()))
    assert pruned == min(first + more, sum(max(0, len(x) - minimum) for x in scores.values()))
    for layer, heads in once.items():
        assert heads == sorted(set(heads))
        assert len(scores[layer]) - len(heads) >= minimum
        left = [x for head, x in enumerate(scores[layer]) if head not in heads]
        assert max(scores[layer][head] for head in heads) <= min(left, default=1.0)
    if minimum == 0:
        gone = sorted(scores[layer][head] for layer, heads in once.items() for head in heads)
        assert gone == sorted(x for row in scores.values() for x in row)[:pruned]


@given(
    st.lists(st.integers(1, 16), min_size=1, max_size=8),
    st.lists(st.integers(0, 100), max_size=12).map(sorted),
    st.integers(0, 2),
)
def test_a_sequence_adds_up_to_the_percentages(heads, percents, minimum):
    sequence = pruning_sequence(heads, percents, minimum_per_layer=minimum)
    most = sum(max(0, count - minimum) for count in heads)
    assert len(sequence) == len(percents)
    for i, percent in enumerate(percents):
        assert sum(sequence[: i + 1]) == min(sum(heads) * percent // 100, most)


@pytest.mark.parametrize(
    ("action", "fragments"),
    [
        (lambda: heads_to_prune({"a": [1.0]}, -1), ["`count`", "count=-1"]),
        (
            lambda: heads_to_prune({"a": [1.0]}, 1, minimum_per_layer=-1),
            ["`minimum_per_layer`", "minimum_per_layer=-1"],
        ),
        (
            lambda: heads_to_prune({"a": [1.0]}, 1, already={"b": [0]}),
            ["`already`", "layer 'b' with heads [0]"],
        ),
        (
            lambda: heads_to_prune({"a": [1.0]}, 1, already={"a": [3]}),
            ["`already`", "layer 'a' with heads [3]"],
        ),
        (lambda: pruning_sequence([4], [50, 20]), ["`percents`", "[50, 20]"]),
        (lambda: pruning_sequence([4], [120]), ["`percents`", "[120]"]),
    ],
)
def test_wrong_selections(action, fragments):
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)


@pytest.mark.parametrize("absolute", ["positions", "examples"])
def test_the_attention_of_keras_scores_as_that_of_this_library(absolute):
    """The same weights give the same importance, also in a layer of a user's own."""

    class Own(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.MultiHeadAttention(2, 4, name="attention")

        def call(self, x):
            return self.inner(x, x)

    model, layer = single()
    own = Own()
    inputs = keras.Input((None, 8))
    reference = keras.Model(inputs, own(inputs))
    for name in ("query", "key", "value"):
        kernel, bias = getattr(layer, name).get_weights()
        weights = [kernel.reshape(8, 2, 4), bias.reshape(2, 4)]
        getattr(own.inner, f"_{name}_dense").set_weights(weights)
    kernel, bias = layer.output_projection.get_weights()
    own.inner._output_dense.set_weights([kernel.reshape(2, 4, 8), bias])
    np.testing.assert_allclose(reference(X), model(X), atol=1e-5)
    expected, actual = (
        head_importance(m, BATCHES, "mse", absolute=absolute) for m in (model, reference)
    )
    np.testing.assert_allclose(actual["attention"], expected["attention"], rtol=1e-4)
