"""Surgery on Keras models of a stranger's own."""

import numpy as np
import pytest
from flavours import one_flavour
from surgery import own_models
from surgery.own_models import MODELS, functional, outputs_of, randomized
from tensorflow import keras

from tfcompress import surgery
from tfcompress.errors import InputError
from tfcompress.layers import FactorizedEmbedding, FeedForward, LayerDropWrapper, MultiHeadAttention
from tfcompress.layers.common.nested import by_name, named_layers
from tfcompress.surgery import (
    attention_layers,
    drop_layers,
    factorize_embedding,
    narrow_feed_forward,
    prune_heads,
    take_successors,
)

QUICK = ("functional", "subclassed")


@pytest.fixture(
    scope="module",
    params=[
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in MODELS
    ],
)
def model(request):
    """Shared by tests: surgery leaves it as it is, which each test's end makes sure of."""
    built = randomized(MODELS[request.param]())
    weights, outputs = built.get_weights(), outputs_of(built)
    yield built
    np.testing.assert_array_equal(outputs_of(built), outputs)
    for weight, was in zip(built.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, was)


@pytest.fixture(scope="module")
def flat():
    return randomized(functional())


def difference(a, b):
    return np.abs(outputs_of(a) - outputs_of(b)).max()


def heads(layer):
    return layer.get_config()["num_heads"]


@pytest.mark.parametrize(
    "copy",
    [
        lambda model: prune_heads(model, drop={}),
        lambda model: drop_layers(model, drop=[]),
        lambda model: narrow_feed_forward(model, 24),
    ],
    ids=["prune_heads", "drop_layers", "narrow_feed_forward"],
)
def test_nothing_removed_changes_nothing(model, copy):
    new = copy(model)
    assert difference(new, model) == 0.0
    # What prune_heads gives has no gates.
    gates = [x for x in attention_layers(model).values() if getattr(x, "gated", False)]
    assert model.count_params() - new.count_params() in (0, sum(map(heads, gates)))
    assert not {id(w) for w in new.weights} & {id(w) for w in model.weights}
    for weight in new.weights:
        weight.assign(weight * 0)  # that of the given model stays, as the fixture makes sure


def test_heads_without_output_weights_can_go(model):
    """Those of Keras' own attention too; the first and the last, wherever the layer stands."""
    silent, drop = prune_heads(model, drop={}), {}
    for name, layer in attention_layers(silent).items():
        count = heads(layer)
        drop[name] = [0, count - 1] if count > 2 else [0]
        is_own = isinstance(layer, MultiHeadAttention)
        kernel = (layer.output_projection if is_own else layer._output_dense).kernel
        values = np.array(kernel)
        values.reshape(count, -1)[drop[name]] = 0
        kernel.assign(values)
    smaller = prune_heads(silent, drop=drop)
    assert difference(smaller, silent) < 1e-5 < difference(smaller, model)
    for name, layer in attention_layers(smaller).items():
        assert heads(layer) == heads(attention_layers(silent)[name]) - len(drop[name])
    assert smaller.count_params() < model.count_params()


def test_closed_gates_are_taken_out(flat):
    gates = attention_layers(flat)["attention_1"].gates
    gates.assign([1.0, 0.0, 0.5, 1.0])
    smaller = prune_heads(flat)
    assert difference(smaller, flat) < 1e-6
    assert [heads(x) for x in attention_layers(smaller).values()] == [2, 4, 3, 4]
    gates.assign([1.0] * 4)


@pytest.mark.costly
def test_units_without_output_weights_can_go(model):
    silent = narrow_feed_forward(model, 24)
    for layer in named_layers(silent, FeedForward).values():
        kernel = np.array(layer.outer.kernel)
        kernel[::2] = 0
        layer.outer.kernel.assign(kernel)
    for batches in (None, [own_models.inputs_of(model)]):
        smaller = narrow_feed_forward(silent, 12, batches)
        assert difference(smaller, silent) < 1e-5
    one = next(iter(by_name(named_layers(model, FeedForward))))
    smaller = narrow_feed_forward(model, {one: 8})
    dims = [x.intermediate_dim for x in named_layers(smaller, FeedForward).values()]
    assert sorted(dims) == [8, *[24] * (len(dims) - 1)]


def test_dropped_layers_pass_on(flat):
    smaller = drop_layers(flat, drop=["block_1"])
    assert not named_layers(smaller, LayerDropWrapper)
    head, x = flat.get_layer("head"), flat.get_layer("block_0").output
    wrapper = next(x for x in flat.layers if isinstance(x, LayerDropWrapper))
    expected = keras.Model(flat.inputs, head(wrapper(x)))
    assert difference(smaller, expected) == 0.0
    assert smaller.count_params() < flat.count_params()
    kept = drop_layers(flat, keep=["block_0", wrapper.name])
    assert difference(smaller, kept) == 0.0


def test_dropped_layers_of_a_subclassed_model():
    model = randomized(own_models.subclassed())
    first = next(path for path in named_layers(model, type(model.last)) if path.startswith("own"))
    smaller = drop_layers(model, drop=[first, "inner_feed", "last"])
    x = model.own.blocks[1](model.table(own_models.IDS))
    x = x + model.own.named["attention"](x, x)
    np.testing.assert_allclose(outputs_of(smaller), model.head(x), atol=1e-6)


@pytest.mark.costly
@pytest.mark.parametrize("model_type", ["functional", "subclassed"])
def test_successors_compute_what_they_did(model_type):
    if model_type == "functional":
        x = keras.Input((None, own_models.WIDTH))
        model = keras.Model(x, own_models.theseus()(own_models.theseus()(x)))
        given = np.random.default_rng(0).normal(size=(2, 5, own_models.WIDTH)).astype("f")
    else:
        model, given = own_models.Replaced(), own_models.IDS
        model(given)
    randomized(model)
    smaller = take_successors(model)
    np.testing.assert_array_equal(smaller(given), model(given))
    assert smaller.count_params() < 0.6 * model.count_params()
    with pytest.raises(InputError, match="needs TheseusModule layers"):
        take_successors(smaller)


@pytest.mark.costly
def test_a_table_of_low_rank_is_factorized_without_loss(model):
    low = prune_heads(model, drop={})
    (table,) = named_layers(low, keras.layers.Embedding).values()
    rng = np.random.default_rng(0)
    rows, columns = rng.normal(size=(own_models.VOCABULARY, 5)), rng.normal(size=(5, 16))
    table.embeddings.assign(rows @ columns)
    smaller, errors = factorize_embedding(low, 5)
    (new,) = named_layers(smaller, FactorizedEmbedding).values()
    assert (new.name, new.mask_zero) == (table.name, table.mask_zero)
    assert errors == {table.name: pytest.approx(0, abs=1e-6)}
    assert difference(smaller, low) < 1e-4
    again, _ = factorize_embedding(smaller, 4)
    assert again.count_params() < smaller.count_params() < model.count_params()


def test_what_surgery_left_is_saved_trained_and_cut_again(flat, tmp_path):
    smaller = narrow_feed_forward(prune_heads(flat, drop={"attention_0": [1]}), 12)
    smaller.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert difference(loaded, smaller) < 1e-6
    smaller.compile("sgd", "mse")
    smaller.fit(own_models.IDS, np.zeros([3, 6, 10], "f"), verbose=0)
    again = prune_heads(smaller, drop={"attention_0": [0]})
    assert heads(attention_layers(again)["attention_0"]) == 2


@keras.utils.register_keras_serializable("tests")
class Bare(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.units = [keras.layers.MultiHeadAttention(2, 8) for _ in range(units)]

    def call(self, x):
        return self.units[0](x, x)

    def get_config(self):
        return {}


class Hidden(keras.Model):
    """Holds a layer where nobody finds it."""

    def __init__(self):
        super().__init__()
        self.attention = MultiHeadAttention(2, name="attention")
        self.apply = lambda x, layer=self.attention: layer(x)

    def call(self, x):
        return self.apply(x)


@pytest.mark.slow
def test_one_after_another(model):
    """Also where the constructor of a class makes its layers as they were before."""
    smaller = prune_heads(narrow_feed_forward(model, 10), drop={})
    name = next(iter(attention_layers(smaller)))
    smaller = prune_heads(smaller, drop={name: [0]})
    table = next(iter(named_layers(model, keras.layers.Embedding).values())).name
    smaller, _ = factorize_embedding(smaller, 5, layers=[table])
    again = narrow_feed_forward(smaller, 10)
    assert difference(again, smaller) == 0.0
    assert heads(attention_layers(again)[name]) == heads(attention_layers(model)[name]) - 1


@one_flavour
def test_refusals(flat):
    x = np.zeros([1, 3, 16], "f")
    bare, hidden = Bare(1), Hidden()
    bare(x), hidden(x)
    for call, message in [
        (lambda: prune_heads(flat, drop={"other": [0]}), "Received: 'other'"),
        (lambda: prune_heads(flat, drop={"attention_0": [4]}), "heads 0 to 3"),
        (lambda: prune_heads(flat, drop={"attention_0": range(4)}), "all its heads. Received: 4"),
        (lambda: prune_heads(bare, drop={}), "made again from its configuration. Received: Bare"),
        (lambda: prune_heads(Bare(1), drop={}), "needs a built model. Received"),
        (lambda: narrow_feed_forward(flat, 25), "can be 1 to 24. Received: 25"),
        (lambda: narrow_feed_forward(flat, {"other": 3}), "must name FeedForward layers"),
        (lambda: narrow_feed_forward(bare, 3), "needs FeedForward layers. Received"),
        (lambda: drop_layers(flat, drop={"encoder": [1]}), "list of names of layers. Received"),
        (lambda: drop_layers(flat, drop=["other"]), "must name layers of the model. Received"),
        (lambda: drop_layers(flat, drop=["head"]), "must keep its shape. Received: head"),
        (lambda: drop_layers(flat, drop=["attention_0"]), "Drop the layer around it"),
        (lambda: drop_layers(flat, keep=[]), "would lose all its layers. Received"),
        (lambda: factorize_embedding(flat, 16), "become smaller. Received"),
        (lambda: surgery.search_layers(flat, len), "counts the layers.*Received: the Keras model"),
        (lambda: surgery.trim_vocabulary(flat, None, None, [], []), "Received: the Keras model"),
        (lambda: surgery.select_classes(flat, ["a"]), "Received: the Keras model"),
        (lambda: surgery.cache_outputs(flat), "Received: the Keras model"),
    ]:
        with pytest.raises(InputError, match=message) as error:
            call()
        assert "\n" not in str(error.value)


def test_a_layer_that_others_hold_too():
    """What a lambda holds stays the old layer, and that is said."""
    hidden = Hidden()
    hidden(np.zeros([1, 3, 16], "f"))
    smaller = prune_heads(hidden, drop={"attention": [0]})
    assert heads(smaller.attention) == 1
