import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from layers.harness import (
    LEGACY_KERAS,
    assert_close,
    global_policy,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)
from tensorflow import keras

from tfcompress.layers import (
    FeedForward,
    LayerDropWrapper,
    MultiHeadAttention,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
    learned_drop_rates,
)

X = normal(2, 5, 8)
FEED_FORWARD = 2 * 8 * 12 + 12 + 8


def encoder_layer(**options):
    return TransformerEncoderLayer(
        MultiHeadAttention(2, dropout=0.2), feed_forward=FeedForward(12, dropout=0.2), **options
    )


def test_contract():
    run_layer_test(
        lambda: LayerDropWrapper(MultiHeadAttention(2, dropout=0.2)),
        X,
        call_kwargs={"padding_mask": lengths_mask([3, 5], 5)},
        output_shape=(2, 5, 8),
        parameters=4 * 8 * 8 + 4 * 8,
        zero_gradients=1,  # the keys' bias
        random_in_training=True,
    )


def built(layer=None, rate=0.0, **options):
    wrapper = LayerDropWrapper(layer or FeedForward(12), rate=rate, **options)
    wrapper(X)
    randomize(wrapper)
    return wrapper


def variables(layer):
    return [v if isinstance(v, tf.Variable) else v.value for v in layer.trainable_variables]


def gradients(layer, x=X, training=True):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=training) ** 2)
    return tape.gradient(loss, variables(layer))


def test_rate_0_is_the_layer_bit_for_bit_in_training_too(tmp_path):
    layer = encoder_layer()
    wrapper = built(layer)
    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "before"))
    for graph in (False, True):
        results = []
        for part in (wrapper, layer):
            tf.train.Checkpoint(layer=layer).read(path)

            def run(x, part=part):
                return part(x, training=True), gradients(part, x)

            results.append((tf.function(run) if graph else run)(tf.constant(X)))
        (y, actual), (expected, wanted) = results
        np.testing.assert_array_equal(y, expected)
        for a, b in zip(actual, wanted):
            assert_close(a, b, 1e-5 if graph else 0)
    np.testing.assert_array_equal(wrapper(X), layer(X))


def test_rate_1_is_the_identity_in_training_only():
    wrapper = built(rate=1.0)
    for _ in range(20):
        np.testing.assert_array_equal(wrapper(X, training=True), X)
    for training in (False, None):
        np.testing.assert_array_equal(wrapper(X, training=training), wrapper.layer(X))


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize(
    ("u", "rate", "runs"),
    [
        (0.5, 0.5, False),
        (0.5001, 0.5, True),
        (1e-7, 0.0, True),
        (1.0, 1.0, False),
        (0.2, 0.9, False),
    ],
)
def test_runs_where_the_draw_exceeds_the_rate(u, rate, runs, graph):
    wrapper = built(rate=rate)
    wrapper._draw = lambda: tf.constant(u)
    call = tf.function(wrapper) if graph else wrapper
    # Nothing is rescaled.
    assert_close(call(X, training=True), wrapper.layer(X) if runs else X, 1e-6)


class Counted(keras.layers.Layer):
    """Adds a weight and counts how often it does."""

    def build(self, input_shape):
        self.shift = self.add_weight(name="shift", shape=(), initializer="ones")
        self.runs = self.add_weight(name="runs", shape=(), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        self.runs.assign_add(1.0)
        return inputs + self.shift

    def compute_output_shape(self, input_shape):
        return input_shape


def runs(wrapper):
    return round(float(wrapper.layer.runs.numpy()))


def test_one_trace_for_all_rates_and_no_computation_when_left_out():
    wrapper = built(Counted())
    traces = []

    @tf.function
    def run():
        traces.append(None)
        return wrapper(X, training=True)

    for rate, more in ((0.0, 1), (1.0, 0), (1.0, 0), (0.0, 1)):
        wrapper.rate = rate
        before = runs(wrapper)
        run()
        assert runs(wrapper) - before == more
    assert len(traces) == 1


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_layers_are_left_out_as_often_as_the_rate_says(rate):
    wrapper = built(Counted(), rate)
    run = tf.function(lambda: wrapper(X, training=True))
    before = runs(wrapper)
    for _ in range(1000):
        run()
    assert abs(runs(wrapper) - before - 1000 * (1 - rate)) < 50


def test_draws_follow_the_seed_and_differ_between_wrappers():
    def draws():
        keras.utils.set_random_seed(3)
        return [[float(layer._draw()) for _ in range(4)] for layer in (built(), built())]

    first, second = draws()
    assert len({*first, *second}) == 8
    assert draws() == [first, second]


def test_checkpoint_carries_draws_and_rate(tmp_path):
    first, second = built(rate=0.3), built(rate=0.7)
    first._draw()
    path = tf.train.Checkpoint(layer=first).write(str(tmp_path / "checkpoint"))
    expected = [float(first._draw()) for _ in range(3)]
    tf.train.Checkpoint(layer=second).read(path).assert_existing_objects_matched()
    assert second.rate == 0.3
    assert [float(second._draw()) for _ in range(3)] == expected


@pytest.mark.parametrize("graph", [False, True])
def test_a_layer_left_out_gets_gradients_of_zero(graph):
    wrapper = built(encoder_layer(), rate=1.0, learned=True)
    run = tf.function(gradients) if graph else gradients
    actual = run(wrapper)
    assert len(actual) == 17
    for gradient in actual:
        assert gradient is not None
        assert not np.any(tf.convert_to_tensor(gradient))


@pytest.mark.parametrize("eager", [False, True])
def test_fit_leaves_what_is_left_out_as_it_is(eager):
    wrappers = [LayerDropWrapper(FeedForward(12), rate=rate) for rate in (1.0, 0.0)]
    model = keras.Sequential([keras.Input((5, 8)), *wrappers])
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=eager)
    before = [wrapper.get_weights() for wrapper in wrappers]
    model.fit(X, X, epochs=2, verbose=0)
    changed = [
        any(np.any(a != b) for a, b in zip(old, wrapper.get_weights()))
        for old, wrapper in zip(before, wrappers)
    ]
    assert changed == [False, True]


@keras.utils.register_keras_serializable("tests")
class Block(keras.layers.Layer):
    """A layer that makes its weights in its first call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(8)

    def call(self, inputs, shift=None):
        x = self.dense(inputs)
        return x if shift is None else x + shift


@pytest.mark.parametrize("functional", [False, True])
def test_layers_that_make_their_weights_in_the_first_call(functional, tmp_path):
    wrapper = LayerDropWrapper(Block(), rate=0.5)
    if functional:
        inputs, shift = keras.Input((5, 8)), keras.Input((5, 8))
        model = keras.Model([inputs, shift], wrapper(inputs, shift=shift))
        model.compile("sgd", "mse")
        model.fit([X, X], X, verbose=0)
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert_close(loaded([X, X]), model([X, X]), 1e-6)
    else:
        assert wrapper(X, training=True).shape == X.shape
    assert wrapper.count_params() == 8 * 8 + 8
    assert_close(wrapper(X, shift=X), wrapper.layer(X, shift=X), 0)


def test_stands_for_a_decoder_layer():
    layer = TransformerDecoderLayer(
        MultiHeadAttention(2, causal=True),
        cross_attention=MultiHeadAttention(2),
        feed_forward=FeedForward(12),
    )
    wrapper = LayerDropWrapper(layer, rate=0.5)
    memory = {"memory": normal(2, 4, 8, seed=1)}
    wrapper(X, **memory)
    assert wrapper.cross_attention is layer.cross_attention
    assert LayerDropWrapper(layer.self_attention).causal
    run_step_test(
        wrapper,
        X,
        call_kwargs=memory,
        cache_kwargs={"batch_size": 2, "max_length": 5, **memory},
    )


def test_has_no_attributes_that_the_layer_has_not():
    wrapper = LayerDropWrapper(FeedForward(12))
    assert not hasattr(wrapper, "init_cache")
    with pytest.raises(AttributeError, match="step"):
        wrapper.step(X, 0, {})


def test_export():
    run_export_test(
        LayerDropWrapper(encoder_layer(), rate=0.5, learned=True),
        X,
        call_kwargs={"padding_mask": lengths_mask([3, 5], 5)},
    )


def test_keeps_the_data_type_of_the_layer():
    inside = FeedForward(12)
    with global_policy("mixed_float16"):
        assert LayerDropWrapper(inside).compute_dtype == "float32"
        half = LayerDropWrapper(FeedForward(12), dtype="float32")
        mixed = LayerDropWrapper(FeedForward(12), rate=0.5)
    for training in (False, True):
        assert half(X, training=training).dtype == tf.float32
        assert mixed(X, training=training).dtype == tf.float16


def test_configuration_has_the_rate_of_now():
    wrapper = LayerDropWrapper(FeedForward(12), rate=0.1)
    assert wrapper.get_config()["rate"] == 0.1
    wrapper.rate = 0.2
    assert LayerDropWrapper.from_config(wrapper.get_config()).rate == 0.2


@pytest.mark.parametrize("graph", [False, True])
def test_straight_through_gradient_of_a_score(graph):
    wrapper = built(rate=0.3, learned=True)
    wrapper._draw = lambda: tf.constant(0.9)
    y = wrapper(X, training=True)
    assert_close(y, wrapper.layer(X), 0)
    run = tf.function(gradients) if graph else gradients
    actual = dict(zip([v.name for v in wrapper.trainable_variables], run(wrapper)))
    (score,) = [gradient for name, gradient in actual.items() if "score" in name]
    expected = 0.3 * np.sum(2 * np.asarray(y) * (np.asarray(y) - X))
    assert_close(score, expected, 1e-3)


def test_learned_rates_have_the_wanted_mean(tmp_path):
    wrappers = [LayerDropWrapper(FeedForward(12), rate=0.25, learned=True) for _ in range(3)]
    model = keras.Sequential([keras.Input((5, 8)), *wrappers])
    assert model.count_params() == 3 * (FEED_FORWARD + 1)
    assert_close(learned_drop_rates(wrappers), [0.25] * 3)
    for wrapper, score in zip(wrappers, (0.0, np.log(2.0), np.log(3.0))):
        wrapper.score.assign(score)
    assert_close(learned_drop_rates(wrappers, 0.11), [0.18, 0.09, 0.06], 1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras").layers[-3:]
    assert_close(learned_drop_rates(loaded), learned_drop_rates(wrappers), 0)


WRONG = {
    "rate": (lambda: LayerDropWrapper(FeedForward(4), rate=1.1), ["`rate`", "[0, 1]", "rate=1.1"]),
    "rate_later": (
        lambda: setattr(LayerDropWrapper(FeedForward(4)), "rate", -0.1),
        ["`rate`", "[0, 1]", "rate=-0.1"],
    ),
    "no_number": (
        lambda: LayerDropWrapper(FeedForward(4), rate=float("nan")),
        ["`rate`", "rate=nan"],
    ),
    "no_layer": (lambda: LayerDropWrapper(tf.nn.relu), ["`layer` must be a Keras layer", "relu"]),
    "another_width": (
        lambda: LayerDropWrapper(keras.layers.Dense(4)).build((None, 5, 8)),
        ["keep the shape", "shape=(None, 5, 8)", "output shape=(None, 5, 4)"],
    ),
    "another_width_seen_late": (
        lambda: LayerDropWrapper(keras.layers.Lambda(lambda x: x[:, :2]))(X),
        ["keep the shape", "shape=(2, 5, 8)", "output shape=(2, 2, 8)"],
    ),
    "no_score": (
        lambda: learned_drop_rates([built()]),
        ["need scores", "learned=False", "learned=True"],
    ),
    "no_wrappers": (lambda: learned_drop_rates([]), ["need scores"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    action, fragments = WRONG[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)


MIRRORED = """
import numpy as np, tensorflow as tf
from tensorflow import keras
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tfcompress.layers import Dense, Dropout, FeedForward, LayerDropWrapper, TheseusModule

def trained(strategy):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        layers = [LayerDropWrapper(FeedForward(4), rate=0.5) for _ in range(3)]
        layers.append(TheseusModule([FeedForward(4), FeedForward(4)], successor=FeedForward(4)))
        model = keras.Sequential([keras.Input((3,)), *layers, Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.random.default_rng(0).standard_normal((80, 3)).astype("float32")
    losses = model.fit(x, x[:, :1], batch_size=8, shuffle=False, verbose=0).history["loss"]
    return model.get_weights(), losses

mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert mirrored.num_replicas_in_sync == 2
for a, b in zip(*map(tf.nest.flatten, (trained(tf.distribute.get_strategy()), trained(mirrored)))):
    np.testing.assert_allclose(a, b, atol=1e-5)
print("the same")
"""


@pytest.mark.slow
def test_replicas_leave_out_the_same_layers():
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    environment["TF_USE_LEGACY_KERAS"] = "1" if LEGACY_KERAS else "0"
    run = subprocess.run(
        [sys.executable, "-c", MIRRORED], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.strip() == "the same"
