"""Models of a stranger's own: layers of this library and Keras' own, in Keras' usual patterns."""

import numpy as np
from tensorflow import keras

from tfcompress import layers

VOCABULARY, WIDTH = 64, 32


def encoder(name="encoder"):
    """From ids with padding 0 to hidden vectors and a summary."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, WIDTH, mask_zero=True)(ids)
    x = keras.layers.LayerNormalization()(x + layers.FeedForward(64)(x))
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(ids, {"hidden": x, "pooled": pooled}, name=name)


def flat():
    """No model within."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(VOCABULARY, WIDTH, mask_zero=True)(ids)
    x = keras.layers.LayerNormalization()(x + keras.layers.MultiHeadAttention(2, 16)(x, x))
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Dense(48, activation="relu")(x))
    return keras.Model(ids, keras.layers.Dense(40, name="head")(x))


def nested():
    """The usual pattern: a head on an encoder's output."""
    ids = keras.Input((None,), dtype="int32", name="tokens")
    return keras.Model(ids, keras.layers.Dense(40, name="head")(encoder()(ids)["pooled"]))


def nested_twice():
    """A model in a model in a model."""
    ids = keras.Input((None,), dtype="int32")
    middle = keras.Model(ids, keras.layers.Dense(WIDTH)(encoder()(ids)["hidden"]), name="middle")
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.GlobalMaxPooling1D()(middle(ids))
    return keras.Model(ids, keras.layers.Dense(40)(x))


def shared():
    """One encoder for two texts, also at another nesting level, and a sequential model twice."""
    one = encoder()
    ids = keras.Input((None,), dtype="int32")
    tower = keras.Model(ids, one(ids)["pooled"], name="tower")
    projection = keras.Sequential([keras.layers.Dense(48), keras.layers.Dense(WIDTH)], name="seq")
    a, b = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    both = [projection(tower(a)), projection(one(b)["pooled"])]
    return keras.Model([a, b], keras.layers.Dense(40)(keras.layers.Concatenate()(both)))


def sequential():
    """A sequential model with a sequential model in it."""
    head = keras.Sequential([keras.layers.Dense(48), keras.layers.Dense(40)], name="head")
    table = keras.layers.Embedding(VOCABULARY, WIDTH, mask_zero=True, input_shape=(None,))
    return keras.Sequential([table, keras.layers.GlobalAveragePooling1D(), head])


def several_outputs():
    """Two outputs, whose losses are given by name."""
    ids = keras.Input((None,), dtype="int32")
    outputs = encoder()(ids)
    left = keras.layers.Dense(40, name="left")(outputs["hidden"])
    return keras.Model(ids, [left, keras.layers.Dense(40, name="right")(outputs["pooled"])])


def named_outputs():
    """Two outputs in a dictionary."""
    ids = keras.Input((None,), dtype="int32")
    outputs = encoder()(ids)
    left = keras.layers.Dense(40)(outputs["hidden"])
    return keras.Model(ids, {"left": left, "right": keras.layers.Dense(40)(outputs["pooled"])})


MODELS = (flat, nested, nested_twice, shared, sequential, several_outputs, named_outputs)


def inputs_of(model):
    """Ids with 0, 2 and 4 of padding, once for each input."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, VOCABULARY, (6, 7))
    ids[2:4, -2:] = ids[4:, -4:] = 0
    return ids if len(model.inputs) == 1 else [ids, ids[::-1].copy()]


def targets_of(model):
    """Random numbers in the structure of the outputs."""
    rng = np.random.default_rng(1)

    def target(output):
        return rng.normal(size=(6, *([7] if len(output.shape) == 3 else []), 40)).astype("f")

    outputs = model(inputs_of(model))
    if isinstance(outputs, dict):
        return {name: target(output) for name, output in outputs.items()}
    if isinstance(outputs, list):
        return {"left": target(outputs[0]), "right": target(outputs[1])}
    return target(outputs)


def compiled(model):
    """The model, ready to be trained on `targets_of`; for so few steps, no graph pays."""
    loss = {"left": "mse", "right": "mae"} if len(model.outputs) > 1 else "mse"
    model.compile(keras.optimizers.legacy.Adam(0.003), loss, run_eagerly=True)
    return model


def outputs_of(model):
    """All outputs of a model in one vector."""
    outputs = model(inputs_of(model), training=False)
    values = outputs.values() if isinstance(outputs, dict) else outputs
    values = values if isinstance(outputs, (dict, list)) else [outputs]
    return np.concatenate([np.ravel(value) for value in values])
