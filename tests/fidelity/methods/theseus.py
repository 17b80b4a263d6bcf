"""BERT-of-Theseus: the schedules, and which modules run, given what was drawn."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.callbacks import TheseusReplacer
from tfcompress.layers import Dense, TheseusModule

ROUTING_INPUTS = ("x", "masks", "prd_W", "prd_b", "scc_W", "scc_b")


def routing(config, arrays):
    """A stack of modules whose draws are given."""
    width = arrays["x"].shape[-1]
    modules = config["n_successor"]
    ratio = config["n_predecessor"] // modules
    predecessors = [Dense(width, activation="tanh") for _ in range(config["n_predecessor"])]
    stack = [
        TheseusModule(
            predecessors[i * ratio : (i + 1) * ratio], successor=Dense(width, activation="tanh")
        )
        for i in range(modules)
    ]
    model = keras.Sequential([keras.Input(arrays["x"].shape[1:]), *stack])
    for i, layer in enumerate(predecessors):
        layer.set_weights([arrays["prd_W"][i].T, arrays["prd_b"][i]])
    for i, module in enumerate(stack):
        module.successor.set_weights([arrays["scc_W"][i].T, arrays["scc_b"][i]])

    outputs = []
    for masks in arrays["masks"]:
        for module, replaced in zip(stack, masks):
            module._draw = lambda replaced=replaced: tf.constant(0.25 if replaced else 0.75)
        outputs.append(model(arrays["x"], training=True))
    return {"y": np.stack(outputs), "y_eval": model(arrays["x"], training=False)}


def schedules(config, arrays):
    """The rate that each step uses, and the one after it."""
    linear, constant = config["linear"], config["constant"]
    replacers = {
        "linear": TheseusReplacer("linear", base=linear["base"], slope=linear["k"]),
        "constant": TheseusReplacer(rate=constant["rate"], steps=constant["steps"]),
        "constant_steps0": TheseusReplacer(rate=constant["rate"], steps=0),
        "constant_none": TheseusReplacer(rate=constant["rate"], steps=None),
    }
    rates = {}
    for name, replacer in replacers.items():
        steps = range(len(arrays[f"{name}_used"]))
        rates[f"{name}_used"] = np.array([replacer.rate_at(step) for step in steps])
        rates[f"{name}_ret"] = np.array([replacer.rate_at(step + 1) for step in steps])
    return rates


METHODS = {
    "theseus_encoder_routing": (routing, ROUTING_INPUTS),
    "theseus_schedules": (schedules, ()),
}
