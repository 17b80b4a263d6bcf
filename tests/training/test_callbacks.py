"""Callbacks on subclassed models that have no weights before `fit`."""

import numpy as np
import pytest
from tensorflow import keras

from tfcompress.callbacks import BleuCallback, HeadPruner, LayerDropSchedule, TheseusReplacer
from tfcompress.errors import InputError
from tfcompress.layers import (
    FeedForward,
    LayerDropWrapper,
    MultiHeadAttention,
    TheseusModule,
    TransformerEncoderLayer,
)

X = np.random.default_rng(0).standard_normal((8, 5, 8)).astype("float32")


class Stack(keras.Model):
    def __init__(self, blocks):
        super().__init__()
        self.blocks = blocks

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class TrainingStack(Stack):
    def call(self, x, training=None):
        for block in self.blocks:
            x = block(x, training=training)
        return x


class LateStack(keras.layers.Layer):
    """Makes its layers only when it is built."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def build(self, shape):
        self.inner = self.make()
        super().build(shape)

    def call(self, x):
        return self.inner(x)


def encoder_layer():
    return TransformerEncoderLayer(MultiHeadAttention(2, gated=True), feed_forward=FeedForward(8))


def seen_at_the_end(blocks, callback, kind):
    model = kind(blocks)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    assert not model.built
    history = model.fit(X, X, batch_size=2, verbose=0, callbacks=[callback]).history
    assert np.isfinite(history["loss"]).all()
    return history


KINDS = pytest.mark.parametrize("kind", [Stack, TrainingStack])


@pytest.mark.costly
@KINDS
def test_head_pruner(kind):
    blocks = [encoder_layer(), LateStack(encoder_layer)]
    pruner = HeadPruner([(X[:4], X[:4])], heads=2)
    assert seen_at_the_end(blocks, pruner, kind)["masked_heads"] == [2]
    assert sum(map(len, pruner.masked_heads.values())) == 2


@pytest.mark.costly
@KINDS
@pytest.mark.parametrize("learned", [False, True])
def test_layer_drop_schedule(kind, learned):
    blocks = [LayerDropWrapper(FeedForward(4), learned=learned) for _ in range(2)]
    seen_at_the_end(blocks, LayerDropSchedule(0.3), kind)
    assert np.mean([block.rate for block in blocks]) == pytest.approx(0.3)


@KINDS
def test_theseus_replacer(kind):
    blocks = [TheseusModule([FeedForward(4)], successor=FeedForward(4)) for _ in range(2)]
    replacer = TheseusReplacer("linear", base=0.25, slope=0.25, scale_learning_rate=True)
    seen_at_the_end(blocks, replacer, kind)
    assert [block.rate for block in blocks] == [1.0, 1.0]
    assert not any(layer.trainable_weights for block in blocks for layer in block.predecessors)


@KINDS
def test_bleu(kind):
    callback = BleuCallback(lambda sources: sources, ["a b c d"], ["a b c d"])
    history = seen_at_the_end([FeedForward(4)], callback, kind)
    assert history["val_bleu"] == [pytest.approx(100)]


@pytest.mark.parametrize(
    ("sources", "references", "message"),
    [
        (["a", "b"], ["a"], "2 sources and 1 references"),
        ([], ["a"], "0 sources and 1 references"),
        ((line for line in "ab"), (line for line in "abc"), "2 sources and 3 references"),
        ([], [], "no sentences"),
    ],
)
def test_bleu_compares_the_numbers_of_sentences(sources, references, message):
    with pytest.raises(InputError, match=message):
        BleuCallback(lambda sources: sources, sources, references)
