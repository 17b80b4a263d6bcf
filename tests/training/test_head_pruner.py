import itertools

import numpy as np
import pytest
import tensorflow as tf
from flavours import one_flavour
from tensorflow import keras

from tfcompress.callbacks import HeadPruner
from tfcompress.layers import (
    FeedForward,
    MultiHeadAttention,
    TheseusModule,
    TransformerEncoderLayer,
)
from tfcompress.surgery import head_importance, heads_to_prune

RNG = np.random.default_rng(0)
X, Y = (RNG.standard_normal((12, 5, 8)).astype("float32") for _ in range(2))
BATCHES = [(X[:6], Y[:6]), (X[6:], Y[6:])]


def make_model(gated=True, optimizer=None):
    keras.utils.set_random_seed(1)
    layers = [
        TransformerEncoderLayer(
            MultiHeadAttention(4, gated=gated, name=f"{name}_attention"),
            feed_forward=FeedForward(8),
        )
        for name in ("first", "second")
    ]
    model = keras.Sequential([keras.Input((5, 8)), *layers])
    model.compile(optimizer or keras.optimizers.SGD(0.05), "mse")
    return model


def masked_in(model):
    """The masked heads by layer, read from the gates."""
    gates = {x.attention.name: np.asarray(x.attention.gates) for x in model.layers[-2:]}
    return {name: np.flatnonzero(g == 0).tolist() for name, g in gates.items() if np.any(g == 0)}


class Masked(keras.callbacks.Callback):
    """Keeps the heads that are masked in each update."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(masked_in(self.model))


def fit(model, pruner, updates=6):
    masked = Masked()
    data = X[: 2 * updates], Y[: 2 * updates]
    history = model.fit(
        *data, batch_size=2, shuffle=False, verbose=0, callbacks=[pruner, masked]
    ).history
    return masked.seen, history


def count(masked):
    return sum(map(len, masked.values()))


def test_masks_more_and_more_heads():
    pruner = HeadPruner(BATCHES, heads=5, every=2, begin=1, heads_per_step=2)
    model = make_model()
    seen, history = fit(model, pruner)
    assert [count(masked) for masked in seen] == [0, 2, 2, 4, 4, 5]
    for before, after in itertools.pairwise(seen):
        assert all(set(heads) <= set(after[name]) for name, heads in before.items())
    assert pruner.masked_heads == seen[-1]
    assert history["masked_heads"] == [5]
    # Training never opens a gate again, and the rest of the layer trains on.
    assert count(masked_in(model)) == 5


@one_flavour
def test_takes_the_least_important_heads():
    model = make_model()
    expected = heads_to_prune(head_importance(model, BATCHES), 3)
    seen, _ = fit(model, HeadPruner(BATCHES, heads=3, heads_per_step=3), updates=1)
    assert seen == [expected]


@pytest.mark.slow
def test_estimates_once_or_at_each_step():
    model = make_model()
    order = [heads_to_prune(head_importance(model, BATCHES), n) for n in range(1, 7)]
    kept, _ = fit(model, HeadPruner(BATCHES, heads=6, re_estimate=False))
    assert kept == order
    model = make_model(optimizer=keras.optimizers.SGD(2.0))
    anew, _ = fit(model, HeadPruner(BATCHES, heads=6, every=2), updates=6)
    again, _ = fit(
        make_model(optimizer=keras.optimizers.SGD(2.0)),
        HeadPruner(BATCHES, heads=6, every=2),
    )
    assert anew == again
    assert anew[0] == order[0]


@pytest.mark.slow
@one_flavour
def test_protected_layers_keep_their_heads():
    for protect in ("first_attention", "^first"):
        seen, _ = fit(make_model(), HeadPruner(BATCHES, heads=3, protect=protect), updates=3)
        assert list(seen[-1]) == ["second_attention"]


@pytest.mark.slow
@one_flavour
def test_layers_keep_a_head_unless_asked_otherwise():
    seen, _ = fit(make_model(), HeadPruner(BATCHES, heads=6, heads_per_step=6), updates=1)
    assert {len(heads) for heads in seen[0].values()} == {3}
    pruner = HeadPruner(BATCHES, heads=8, heads_per_step=8, minimum_per_layer=0)
    model = make_model()
    _, history = fit(model, pruner, updates=2)
    assert count(masked_in(model)) == 8
    assert np.isfinite(history["loss"][0])


@one_flavour
def test_predecessors_are_left_alone():
    model = make_model()
    first, second = model.layers[-2:]
    module = TheseusModule([first], successor=second)
    replaced = keras.Sequential([keras.Input((5, 8)), module])
    replaced.compile("sgd", "mse")
    pruner = HeadPruner(BATCHES, heads=3, heads_per_step=3)
    replaced.fit(X, Y, verbose=0, callbacks=[pruner])
    assert list(pruner.masked_heads) == list(masked_in(model)) == ["second_attention"]


@pytest.mark.slow
def test_resumed_where_it_was(tmp_path):
    def pruner():
        return HeadPruner(BATCHES, heads=5)

    whole, _ = fit(make_model(), pruner())
    first = make_model()
    seen, _ = fit(first, pruner(), updates=2)
    path = tf.train.Checkpoint(model=first, optimizer=first.optimizer).write(str(tmp_path / "c"))
    second = make_model()
    second.optimizer.build(second.trainable_variables)
    tf.train.Checkpoint(model=second, optimizer=second.optimizer).read(path)
    masked = Masked()
    data = X[4:], Y[4:]
    second.fit(*data, batch_size=2, shuffle=False, verbose=0, callbacks=[pruner(), masked])
    assert seen + masked.seen == whole


def test_saved_with_its_gates(tmp_path):
    model = make_model()
    fit(model, HeadPruner(BATCHES, heads=4), updates=4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert masked_in(loaded) == masked_in(model)
    assert count(masked_in(loaded)) == 4
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), atol=1e-6)


def test_does_not_disturb_the_loss_of_the_epoch():
    plain, pruned = (make_model(optimizer=keras.optimizers.SGD(0.0)) for _ in range(2))
    expected = plain.fit(X, Y, verbose=0, shuffle=False).history["loss"]
    # One head at the first of six updates, of which none changes weights.
    pruner = HeadPruner(BATCHES, heads=1, begin=99)
    assert fit(pruned, pruner)[1]["loss"] == pytest.approx(expected, rel=1e-5)
    pruner = HeadPruner(BATCHES, heads=1)
    loss = fit(pruned, pruner)[1]["loss"]
    assert loss == pytest.approx([pruned.evaluate(X, Y, verbose=0)], rel=1e-5)


def run(pruner, **options):
    fit(make_model(**options), pruner, updates=1)


WRONG = {
    "heads": (lambda: HeadPruner(BATCHES, heads=0), ["`heads`", "at least 1", "heads=0"]),
    "every": (lambda: HeadPruner(BATCHES, heads=1, every=0), ["`every`", "every=0"]),
    "begin": (lambda: HeadPruner(BATCHES, heads=1, begin=-1), ["`begin`", "begin=-1"]),
    "heads_per_step": (
        lambda: HeadPruner(BATCHES, heads=1, heads_per_step=0),
        ["`heads_per_step`", "heads_per_step=0"],
    ),
    "minimum": (
        lambda: HeadPruner(BATCHES, heads=1, minimum_per_layer=-1),
        ["`minimum_per_layer`", "minimum_per_layer=-1"],
    ),
    "iterator": (
        lambda: HeadPruner(iter(BATCHES), heads=1),
        ["more than once", "list_iterator", "Pass a list or a dataset"],
    ),
    "expression": (
        lambda: HeadPruner(BATCHES, heads=1, protect="("),
        ["valid regular expression", "'('"],
    ),
    "no_gates": (
        lambda: run(HeadPruner(BATCHES, heads=1), gated=False),
        ["masks heads by gates", "2 MultiHeadAttention layers", "gated=True"],
    ),
    "too_many": (
        lambda: run(HeadPruner(BATCHES, heads=7)),
        ["6 heads may go", "heads=7, minimum_per_layer=1"],
    ),
    "too_many_beside_protected": (
        lambda: run(HeadPruner(BATCHES, heads=4, protect="first")),
        ["Of 1 layers", "3 heads may go", "protect='first'"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    action, fragments = WRONG[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
