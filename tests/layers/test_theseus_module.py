import numpy as np
import pytest
import tensorflow as tf
from layers.harness import (
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)
from tensorflow import keras

from tfcompress.layers import (
    Dense,
    FeedForward,
    MultiHeadAttention,
    TheseusModule,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
    initialize_successors,
)

X = normal(2, 5, 8)


def encoder_layer(gated=False):
    return TransformerEncoderLayer(MultiHeadAttention(2, gated=gated), feed_forward=FeedForward(12))


def module(make=lambda: FeedForward(12), predecessors=2, **options):
    return TheseusModule([make() for _ in range(predecessors)], successor=make(), **options)


def test_contract():
    run_layer_test(
        lambda: module(lambda: MultiHeadAttention(2), rate=1.0),
        X,
        call_kwargs={"padding_mask": lengths_mask([3, 5], 5)},
        output_shape=(2, 5, 8),
        parameters=3 * (4 * 8 * 8 + 4 * 8),
        zero_gradients=1,  # the keys' bias
    )


def built(**options):
    layer = module(**options)
    layer(X)
    randomize(layer)
    return layer


def predecessors(layer, x):
    for predecessor in layer.predecessors:
        x = predecessor(x)
    return x


@pytest.mark.costly
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize(
    ("u", "rate", "replaced"),
    [(1.0, 1.0, True), (1e-7, 0.0, False), (0.5, 0.5, True), (0.51, 0.5, False)],
)
@pytest.mark.parametrize("count", [1, 3])
def test_the_draw_decides_in_training(count, u, rate, replaced, graph):
    layer = built(predecessors=count, rate=rate)
    layer._draw = lambda: tf.constant(u)
    call = tf.function(layer) if graph else layer
    expected = layer.successor(X) if replaced else predecessors(layer, X)
    np.testing.assert_allclose(call(X, training=True), expected, atol=1e-6 if graph else 0)


def test_rate_1_is_the_successor_and_rate_0_the_predecessors_bit_for_bit():
    layer = built(rate=1.0)
    for rate, expected in ((1.0, layer.successor(X)), (0.0, predecessors(layer, X))):
        layer.rate = rate
        for _ in range(10):
            np.testing.assert_array_equal(layer(X, training=True), expected)
        np.testing.assert_array_equal(layer(X, training=False), layer.successor(X))


def test_modules_are_replaced_as_often_as_the_rate_says_on_one_trace():
    layer = built(rate=0.5)
    replaced = layer.successor(X)
    traces = []

    @tf.function
    def run():
        traces.append(None)
        return tf.reduce_all(tf.abs(layer(X, training=True) - replaced) < 1e-5)

    for rate in (0.3, 0.8):
        layer.rate = rate
        assert abs(np.mean([bool(run()) for _ in range(500)]) - rate) < 0.06
    assert len(traces) == 1


@pytest.mark.costly
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_gradients_pass_through_frozen_predecessors(rate, graph):
    before, layer = Dense(8), built(rate=rate)
    before(X)
    assert len(layer.trainable_variables) == 4
    parts = [*before.trainable_variables, *layer.trainable_variables]
    parts = [v if isinstance(v, tf.Variable) else v.value for v in parts]

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(before(X), training=True) ** 2)
        return tape.gradient(loss, parts)

    actual = (tf.function(gradients) if graph else gradients)()
    used = [bool(np.any(tf.convert_to_tensor(gradient))) for gradient in actual]
    assert used == [True] * 2 + [rate == 1.0] * 4


def test_only_successors_train(tmp_path):
    modules = [module(rate=0.5) for _ in range(2)]
    model = keras.Sequential([keras.Input((5, 8)), *modules])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = [[layer.get_weights() for layer in m.predecessors] for m in modules]
    first = [m.successor.get_weights() for m in modules]
    model.fit(np.repeat(X, 8, axis=0), np.repeat(X, 8, axis=0), batch_size=2, verbose=0)
    after = [[layer.get_weights() for layer in m.predecessors] for m in modules]
    for a, b in zip(tf.nest.flatten(before), tf.nest.flatten(after)):
        np.testing.assert_array_equal(a, b)
    for a, m in zip(first, modules):
        assert np.any(a[0] != m.successor.get_weights()[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.trainable_weights) == len(model.trainable_weights) == 8
    for m, other in zip(modules, loaded.layers[-2:]):
        for a, b in zip([*m.predecessors, m.successor], [*other.predecessors, other.successor]):
            for x, y in zip(a.get_weights(), b.get_weights()):
                np.testing.assert_array_equal(x, y)


class Block(keras.layers.Layer):
    """A layer that makes its weights in its first call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(8)

    def call(self, inputs):
        return self.dense(inputs)


def test_predecessors_that_make_their_weights_in_the_first_call():
    layer = module(Block, rate=0.5)
    x = keras.Input((5, 8))
    model = keras.Model(x, layer(x))
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    assert layer.count_params() == 3 * (8 * 8 + 8)
    assert len(model.trainable_weights) == 2


def test_decodes_like_its_successor():
    layer = module(
        lambda: TransformerDecoderLayer(
            MultiHeadAttention(2, causal=True),
            cross_attention=MultiHeadAttention(2),
            feed_forward=FeedForward(12),
        )
    )
    memory = {"memory": normal(2, 4, 8, seed=1)}
    layer(X, **memory)
    assert layer.cross_attention is layer.successor.cross_attention
    run_step_test(
        layer,
        X,
        call_kwargs=memory,
        cache_kwargs={"batch_size": 2, "max_length": 5, **memory},
    )


def test_export():
    run_export_test(module(), X)


@pytest.mark.costly
@pytest.mark.parametrize("gated", [False, True])
def test_successors_begin_as_the_first_layers_of_the_stack(gated):
    modules = [module(lambda: encoder_layer(gated)) for _ in range(3)]
    x = X
    for layer in modules:
        x = layer(x)
        randomize(layer)
    initialize_successors(modules)
    stack = [layer for m in modules for layer in m.predecessors]
    assert len(stack) == 6
    for m, layer in zip(modules, stack):
        np.testing.assert_array_equal(m.successor(X), layer(X))
        assert not layer.trainable_weights


WRONG = {
    "rate": (lambda: module(rate=-0.5), ["`rate`", "[0, 1]", "rate=-0.5"]),
    "none": (
        lambda: TheseusModule([], successor=Dense(8)),
        ["at least one layer", "predecessors=[]"],
    ),
    "one": (
        lambda: TheseusModule(Dense(8), successor=Dense(8)),
        ["must be a list of at least one layer", "predecessors=<"],
    ),
    "no_layer": (
        lambda: TheseusModule([Dense(8), tf.nn.relu], successor=Dense(8)),
        ["`predecessors[1]` must be a Keras layer", "relu"],
    ),
    "no_successor": (
        lambda: TheseusModule([Dense(8)], successor=None),
        ["`successor` must be a Keras layer", "successor=None"],
    ),
    "another_width": (
        lambda: TheseusModule([Dense(8)], successor=Dense(4)).build((None, 5, 8)),
        ["shape that its predecessors give", "shape=(None, 5, 4)", "shape=(None, 5, 8)"],
    ),
    "another_width_seen_late": (
        lambda: TheseusModule([Block()], successor=Dense(4))(X),
        ["shape that its predecessors give", "shape=(2, 5, 4)", "shape=(2, 5, 8)"],
    ),
    "successor_without_weights": (
        lambda: initialize_successors([module()]),
        ["need weights", "not built", "Call the model"],
    ),
    "successor_of_another_size": (
        lambda: initialize_successors([built_unlike()]),
        ["weights of the predecessor", "different shapes", "Make them alike"],
    ),
}


def built_unlike():
    layer = TheseusModule([FeedForward(12)], successor=FeedForward(6))
    layer(X)
    return layer


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    action, fragments = WRONG[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
