"""LayerDrop: which layers run, given the numbers drawn."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.layers import LayerDropWrapper


class Mark(keras.layers.Layer):
    """Leaves a 1 at its place of the input's last axis."""

    def __init__(self, place, **kwargs):
        super().__init__(**kwargs)
        self.place = place

    def call(self, inputs):
        return inputs + tf.one_hot(self.place, inputs.shape[-1])


def layerdrop(config, arrays):
    """A stack of wrappers that are given the draws."""
    draws, rates = arrays["u"], arrays["p"]
    wrappers = [LayerDropWrapper(Mark(place)) for place in range(draws.shape[1])]
    keep = []
    for row, rate in zip(draws, rates):
        x = tf.zeros((1, len(wrappers)))
        for wrapper, u in zip(wrappers, row):
            wrapper.rate = float(rate)
            wrapper._draw = lambda u=u: tf.constant(u)
            x = wrapper(x, training=True)
        keep.append(x[0])
    return {"keep": np.stack(keep)}


METHODS = {"layerdrop": (layerdrop, ("p", "u"))}
