import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tfcompress.callbacks import LayerDropSchedule
from tfcompress.layers import FeedForward, LayerDropWrapper, learned_drop_rates

X = np.random.default_rng(0).standard_normal((12, 5, 8)).astype("float32")


def make_model(count=3, learned=False, prefix="layer", optimizer=None):
    layers = [
        LayerDropWrapper(FeedForward(4), learned=learned, name=f"{prefix}_{i}")
        for i in range(count)
    ]
    model = keras.Sequential([keras.Input((5, 8)), *layers])
    model.compile(optimizer or keras.optimizers.SGD(0.01), "mse")
    return model


class Rates(keras.callbacks.Callback):
    """Keeps the rates that each update is made with."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        layers = [x for x in self.model.layers if isinstance(x, LayerDropWrapper)]
        self.seen.append([layer.rate for layer in layers])


def rates_of(model, *callbacks, updates=6):
    rates = Rates()
    data = X[: 2 * updates]
    model.fit(data, data, batch_size=2, verbose=0, callbacks=[*callbacks, rates])
    return rates.seen


def test_constant():
    assert rates_of(make_model(), LayerDropSchedule(0.2)) == [[0.2] * 3] * 6


def test_linear():
    schedule = LayerDropSchedule(0.1, 0.5, begin_step=1, end_step=5)
    expected = [0.1, 0.1, 0.2, 0.3, 0.4, 0.5]
    np.testing.assert_allclose(rates_of(make_model(), schedule), np.tile(expected, (3, 1)).T)
    assert [schedule.rate_at(step) for step in (0, 5, 999)] == [0.1, 0.5, 0.5]
    assert LayerDropSchedule(0.5, 0.0, end_step=10).rate_at(5) == 0.25


@pytest.mark.parametrize("eager", [False, True])
def test_by_layer_index(eager):
    model = make_model()
    model.compile("sgd", "mse", run_eagerly=eager)
    seen = rates_of(model, LayerDropSchedule(0.6, by_layer_index=True), updates=1)
    np.testing.assert_allclose(seen, [[0.2, 0.4, 0.6]])


@pytest.mark.parametrize("layers", ["_[02]$", ["layer_0", "layer_2"]])
def test_chosen_layers(layers):
    assert rates_of(make_model(), LayerDropSchedule(0.3, layers=layers), updates=1) == [
        [0.3, 0.0, 0.3]
    ]


def test_wrappers_inside_other_layers_in_their_order():
    inner = [LayerDropWrapper(FeedForward(4)) for _ in range(3)]

    class Stack(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.blocks = inner

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.stack = Stack()

        def call(self, x):
            return self.stack(x)

    model = Model()
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0, callbacks=[LayerDropSchedule(0.3, by_layer_index=True)])
    np.testing.assert_allclose([wrapper.rate for wrapper in inner], [0.1, 0.2, 0.3])


def test_resumed_where_it_was(tmp_path):
    schedule = {"start": 0.1, "end": 0.7, "end_step": 6}
    whole = rates_of(make_model(), LayerDropSchedule(**schedule))
    first, second = make_model(), make_model()
    seen = rates_of(first, LayerDropSchedule(**schedule), updates=2)
    path = tf.train.Checkpoint(model=first, optimizer=first.optimizer).write(str(tmp_path / "c"))
    second.optimizer.build(second.trainable_variables)
    tf.train.Checkpoint(model=second, optimizer=second.optimizer).read(path)
    seen += rates_of(second, LayerDropSchedule(**schedule), updates=4)
    assert seen == whole


def test_learned_rates_follow_the_scores_and_keep_the_mean():
    model = make_model(learned=True, optimizer=keras.optimizers.SGD(1.0))
    seen = rates_of(model, LayerDropSchedule(0.3), updates=6)
    np.testing.assert_allclose(np.mean(seen, axis=1), [0.3] * 6)
    np.testing.assert_allclose(seen[0], [0.3] * 3)
    assert np.std(seen[-1]) > 1e-4
    wrappers = model.layers[-3:]
    assert np.std(learned_drop_rates(wrappers, 0.3)) > 1e-4


def test_helpful_layers_are_dropped_less():
    # The first of two layers gives what is wanted, the second spoils it.
    class Shift(keras.layers.Layer):
        def __init__(self, shift):
            super().__init__()
            self.shift = shift

        def call(self, x):
            return x + self.shift

    wrappers = [LayerDropWrapper(Shift(shift), learned=True) for shift in (1.0, -0.7)]
    model = keras.Sequential([keras.Input((5, 8)), *wrappers])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    data = np.repeat(X, 20, axis=0)
    model.fit(data, data + 1, batch_size=2, verbose=0, callbacks=[LayerDropSchedule(0.5)])
    helpful, harmful = learned_drop_rates(wrappers, 0.5)
    assert helpful < 0.2
    assert harmful > 0.8


def fit(schedule, model=None):
    (model or make_model()).fit(X, X, verbose=0, callbacks=[schedule])


def mixed():
    layers = [LayerDropWrapper(FeedForward(4), learned=learned) for learned in (True, False)]
    model = keras.Sequential([keras.Input((5, 8)), *layers])
    model.compile("sgd", "mse")
    return model


def plain():
    model = keras.Sequential([keras.Input((5, 8)), FeedForward(4)])
    model.compile("sgd", "mse")
    return model


WRONG = {
    "start": (lambda: LayerDropSchedule(1.2), ["`rate`", "[0, 1]", "rate=1.2"]),
    "end": (lambda: LayerDropSchedule(0.1, -0.2, end_step=4), ["`rate`", "rate=-0.2"]),
    "begin_step": (
        lambda: LayerDropSchedule(0.1, begin_step=-1),
        ["`begin_step`", "begin_step=-1"],
    ),
    "no_end": (lambda: LayerDropSchedule(0.1, end_step=4), ["together", "end=None", "end_step=4"]),
    "no_end_step": (lambda: LayerDropSchedule(0.1, 0.2), ["together", "end=0.2", "end_step=None"]),
    "order": (
        lambda: LayerDropSchedule(0.1, 0.2, begin_step=4, end_step=4),
        ["greater than `begin_step`", "end_step=4, begin_step=4"],
    ),
    "nothing_to_drop": (
        lambda: fit(LayerDropSchedule(0.1), plain()),
        ["needs layers in a LayerDropWrapper", "Wrap the layers"],
    ),
    "no_match": (
        lambda: fit(LayerDropSchedule(0.1, layers="decoder")),
        ["none that matches layers='decoder'"],
    ),
    "unknown_name": (
        lambda: fit(LayerDropSchedule(0.1, layers=["layer_0", "layer_9"])),
        ["['layer_9']", "['layer_0', 'layer_1', 'layer_2']"],
    ),
    "expression": (
        lambda: fit(LayerDropSchedule(0.1, layers="(")),
        ["valid regular expression", "'('"],
    ),
    "mixed": (lambda: fit(LayerDropSchedule(0.1), mixed()), ["for all wrappers alike"]),
    "learned_by_depth": (
        lambda: fit(LayerDropSchedule(0.1, by_layer_index=True), make_model(learned=True)),
        ["either learned or scheduled by layer index", "by_layer_index=True"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    action, fragments = WRONG[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
