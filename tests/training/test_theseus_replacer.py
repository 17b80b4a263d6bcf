import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow import keras

from tfcompress.callbacks import TheseusReplacer
from tfcompress.layers import FeedForward, LayerDropWrapper, TheseusModule

X = np.random.default_rng(0).standard_normal((12, 5, 8)).astype("float32")


def make_model(optimizer=None, wrapped=False):
    layers = [
        TheseusModule([FeedForward(4), FeedForward(4)], successor=FeedForward(4)) for _ in range(2)
    ]
    # Modules are found inside other layers too.
    outer = [LayerDropWrapper(layer) if wrapped else layer for layer in layers]
    model = keras.Sequential([keras.Input((5, 8)), *outer])
    model.compile(optimizer or keras.optimizers.SGD(0.01), "mse")
    return model, layers


class Seen(keras.callbacks.Callback):
    """Keeps the rates, and the learning rate, that each update is made with."""

    def __init__(self, modules):
        super().__init__()
        self.modules = modules
        self.rates, self.learning_rates = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append([module.rate for module in self.modules])
        self.learning_rates.append(float(self.model.optimizer.learning_rate.numpy()))


def seen_in(model, modules, replacer, updates=6):
    seen = Seen(modules)
    data = X[: 2 * updates]
    model.fit(data, data, batch_size=2, verbose=0, callbacks=[replacer, seen])
    return seen


@pytest.mark.parametrize("wrapped", [False, True])
def test_linear_rates_reach_every_module(wrapped):
    model, modules = make_model(wrapped=wrapped)
    seen = seen_in(model, modules, TheseusReplacer("linear", base=0.25, slope=0.25))
    assert seen.rates == [[rate] * 2 for rate in (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)]


@pytest.mark.costly
@pytest.mark.parametrize(
    ("steps", "expected"),
    [(None, [0.5] * 4), (0, [0.5, 1, 1, 1]), (1, [0.5, 1, 1, 1]), (2, [0.5, 0.5, 1, 1])],
)
@pytest.mark.parametrize("eager", [False, True])
def test_constant_rates(steps, expected, eager):
    model, modules = make_model()
    model.compile("sgd", "mse", run_eagerly=eager)
    seen = seen_in(model, modules, TheseusReplacer(steps=steps), updates=4)
    assert seen.rates == [[rate] * 2 for rate in expected]


@given(st.floats(0.01, 1), st.floats(0, 0.1), st.integers(0, 2000))
def test_linear_rates_are_those_of_the_paper(base, slope, step):
    assert TheseusReplacer("linear", base=base, slope=slope).rate_at(step) == min(
        1.0, base + slope * step
    )


@pytest.mark.slow
def test_resumed_where_it_was(tmp_path):
    def replacer():
        return TheseusReplacer("linear", base=0.1, slope=0.1)

    whole = seen_in(*make_model(), replacer()).rates
    (first, modules), (second, others) = make_model(), make_model()
    rates = seen_in(first, modules, replacer(), updates=2).rates
    path = tf.train.Checkpoint(model=first, optimizer=first.optimizer).write(str(tmp_path / "c"))
    second.optimizer.build(second.trainable_variables)
    tf.train.Checkpoint(model=second, optimizer=second.optimizer).read(path)
    rates += seen_in(second, others, replacer(), updates=4).rates
    assert rates == whole


def test_learning_rate_scales_during_batches_only():
    model, modules = make_model(keras.optimizers.SGD(0.1))
    replacer = TheseusReplacer("linear", base=0.25, slope=0.25, scale_learning_rate=True)
    seen = seen_in(model, modules, replacer)
    np.testing.assert_allclose(seen.learning_rates, [0.025, 0.05, 0.075, 0.1, 0.1, 0.1], 1e-6)
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.1)


def test_successors_learn_what_the_predecessors_did():
    model, modules = make_model(keras.optimizers.Adam(0.05))
    before = [layer.get_weights() for module in modules for layer in module.predecessors]
    data = np.repeat(X, 30, axis=0)
    for module in modules:
        module.rate = 0.0
    wanted = np.asarray(model(data, training=True))
    first = model.evaluate(data, wanted, verbose=0)
    model.fit(
        data, wanted, batch_size=12, verbose=0, callbacks=[TheseusReplacer(rate=0.5, steps=15)]
    )
    assert model.evaluate(data, wanted, verbose=0) < 0.5 * first
    after = [layer.get_weights() for module in modules for layer in module.predecessors]
    for a, b in zip(tf.nest.flatten(before), tf.nest.flatten(after)):
        np.testing.assert_array_equal(a, b)


def fit(replacer, model):
    model.fit(X, X, verbose=0, callbacks=[replacer])


def plain():
    model = keras.Sequential([keras.Input((5, 8)), FeedForward(4)])
    model.compile("sgd", "mse")
    return model


def thawed():
    model, modules = make_model()
    modules[1].predecessors[0].trainable = True
    model.compile("sgd", "mse")
    return model


def scheduled():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    return make_model(keras.optimizers.SGD(schedule))[0]


WRONG = {
    "schedule": (lambda: TheseusReplacer("cosine"), ["constant, linear", "schedule='cosine'"]),
    "rate": (lambda: TheseusReplacer(rate=0.0), ["`rate`", "(0, 1]", "rate=0.0"]),
    "base": (lambda: TheseusReplacer("linear", base=1.5), ["`base`", "(0, 1]", "base=1.5"]),
    "slope": (lambda: TheseusReplacer("linear", slope=-1.0), ["`slope`", "slope=-1.0"]),
    "steps": (lambda: TheseusReplacer(steps=-1), ["`steps`", "steps=-1"]),
    "rate_of_linear": (
        lambda: TheseusReplacer("linear", rate=0.5),
        ["`rate` does not belong to the linear schedule", "rate=0.5"],
    ),
    "base_of_constant": (
        lambda: TheseusReplacer(base=0.5),
        ["`base` does not belong to the constant schedule", "base=0.5"],
    ),
    "no_modules": (
        lambda: fit(TheseusReplacer(), plain()),
        ["needs a model with TheseusModule layers", "with none"],
    ),
    "thawed": (
        lambda: fit(TheseusReplacer(), thawed()),
        ["must stay as they are", "predecessors that train", "compile the model again"],
    ),
    "scheduled": (
        lambda: fit(TheseusReplacer(scale_learning_rate=True), scheduled()),
        ["learning rate that is a number", "with a schedule", "Multiply by the rate"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    action, fragments = WRONG[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
