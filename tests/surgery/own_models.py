"""Models of a stranger's own for surgery: functional, nested, sequential and subclassed."""

import numpy as np
from tensorflow import keras

from tfcompress import layers

VOCABULARY, WIDTH = 40, 16
IDS = np.random.default_rng(0).integers(1, VOCABULARY, (3, 6)).astype("int32")
IDS[1:, -2:] = 0


def block(**options):
    return layers.TransformerEncoderLayer(
        layers.MultiHeadAttention(4, name="attention", **options),
        feed_forward=layers.FeedForward(24, name="feed_forward"),
    )


def theseus():
    return layers.TheseusModule([block(), block()], successor=block())


def functional():
    """Layers of this library, Keras' attention, LayerDrop and a mask."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, WIDTH, mask_zero=True, name="table")(ids)
    x = keras.layers.LayerNormalization()(
        x + keras.layers.MultiHeadAttention(2, 8, name="keras_attention")(x, x)
    )
    for i in range(3):
        mixed = layers.TransformerEncoderLayer(
            layers.MultiHeadAttention(4, name=f"attention_{i}", gated=i == 1),
            feed_forward=layers.FeedForward(24, name=f"feed_forward_{i}"),
            name=f"block_{i}",
        )
        x = (layers.LayerDropWrapper(mixed, rate=0.2) if i == 2 else mixed)(x)
    return keras.Model(ids, keras.layers.Dense(10, name="head")(x))


def nested():
    """A model in a model, used twice."""
    ids, other = (keras.Input((None,), dtype="int32", name=name) for name in ("a", "b"))
    x = keras.Input((None, WIDTH))
    table = keras.layers.Embedding(VOCABULARY, WIDTH, name="table")
    inner = keras.Model(x, layers.FeedForward(24, name="last")(block()(x)), name="inner")
    both = [inner(table(ids)), inner(table(other))]
    return keras.Model([ids, other], keras.layers.Dense(10, name="head")(keras.layers.add(both)))


def sequential():
    table = keras.layers.Embedding(VOCABULARY, WIDTH, name="table")
    model = keras.Sequential([table, block(), block(), keras.layers.Dense(10, name="head")])
    model(IDS)
    return model


@keras.utils.register_keras_serializable("own_models")
class Own(keras.layers.Layer):
    """A layer that makes and holds others in several ways."""

    def __init__(self, blocks=2, **kwargs):
        super().__init__(**kwargs)
        self.count = blocks
        self.blocks = [block() for _ in range(blocks)]
        self.named = {"attention": keras.layers.MultiHeadAttention(2, 8)}

    def call(self, inputs, training=None):
        x = inputs
        for layer in self.blocks:
            x = layer(x, training=training)
        return x + self.named["attention"](x, x)

    def get_config(self):
        return {**super().get_config(), "blocks": self.count}


@keras.utils.register_keras_serializable("own_models")
class Subclassed(keras.Model):
    """Attributes, a list and a dictionary of layers, and a functional model within."""

    def __init__(self, blocks=2, **kwargs):
        super().__init__(**kwargs)
        self.count = blocks
        self.table = keras.layers.Embedding(VOCABULARY, WIDTH)
        self.own = Own(blocks)
        self.last = block()
        x = keras.Input((None, WIDTH))
        self.inner = keras.Model(x, layers.FeedForward(24, name="inner_feed")(x))
        self.head = keras.layers.Dense(10)

    def call(self, inputs, training=None):
        x = self.own(self.table(inputs["ids"]), training=training)
        return self.head(self.inner(self.last(x, training=training)))

    def get_config(self):
        return {**super().get_config(), "blocks": self.count}


def subclassed():
    model = Subclassed()
    model({"ids": IDS})
    return model


class Replaced(keras.Model):
    def __init__(self):
        super().__init__()
        self.table = keras.layers.Embedding(VOCABULARY, WIDTH)
        self.blocks = [theseus(), theseus()]

    def call(self, ids, training=None):
        x = self.table(ids)
        for layer in self.blocks:
            x = layer(x, training=training)
        return x


MODELS = {f.__name__: f for f in (functional, nested, sequential, subclassed)}


def randomized(model):
    """The model with random biases, as after a training."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if "gates" not in getattr(weight, "path", weight.name):
            weight.assign(weight + rng.normal(0, 0.1, weight.shape))
    return model


def inputs_of(model):
    if isinstance(model, Subclassed):
        return {"ids": IDS}
    return [IDS, IDS[::-1].copy()] if len(getattr(model, "inputs", None) or [1]) == 2 else IDS


def outputs_of(model):
    return np.asarray(model(inputs_of(model), training=False))
