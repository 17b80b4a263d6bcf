"""Every layer with biases takes an initializer for them, and saves it."""

import numpy as np
import pytest
from layers.subclassed_models import LAYERS
from tensorflow import keras

from tfcompress import layers

FACTORIES = {
    "MultiHeadAttention": lambda **o: layers.MultiHeadAttention(2, **o),
    "FeedForward": lambda **o: layers.FeedForward(4, **o),
    "GroupLinear": lambda **o: layers.GroupLinear(8, num_groups=2, **o),
    "HierarchicalGroupTransform": lambda **o: layers.HierarchicalGroupTransform(
        (8, 8), num_groups=(2, 2), **o
    ),
    "DExTraBlock": lambda **o: layers.DExTraBlock(8, num_layers=2, max_groups=2, **o),
    "FixedPatternAttention": lambda **o: layers.FixedPatternAttention(
        ["next"], num_learned_heads=1, **o
    ),
    "AveragedAttention": lambda **o: layers.AveragedAttention(4, **o),
    "DynamicConv": lambda **o: layers.DynamicConv(3, num_heads=2, **o),
    "LightweightConv": lambda **o: layers.LightweightConv(3, num_heads=2, **o),
    "FactorizedEmbedding": lambda **o: layers.FactorizedEmbedding(
        9, hidden_dim=8, embedding_dim=4, use_bias=True, use_output_bias=True, **o
    ),
    "DeFINEEmbedding": lambda **o: layers.DeFINEEmbedding(
        9, hidden_dim=8, embedding_dim=4, num_layers=2, **o
    ),
    "DExTraEmbedding": lambda **o: layers.DExTraEmbedding(
        9, hidden_dim=8, embedding_dim=4, num_layers=2, **o
    ),
}


def test_all_layers_with_biases():
    takes = {name for name, make in LAYERS.items() if "bias_initializer" in make().get_config()}
    assert takes - {"Dense"} == {*FACTORIES} & {*LAYERS}


@pytest.mark.parametrize("name", FACTORIES)
def test_biases_and_kernels_start_as_told(name):
    options = {"bias_initializer": "ones", "kernel_initializer": keras.initializers.Constant(0.5)}
    layer = FACTORIES[name](**options)
    loaded = type(layer).from_config(layer.get_config())
    inputs = np.ones((1, 3, 8), "float32")
    if name.endswith("Embedding"):
        inputs = np.ones((1, 3), "int32")
    for each in (layer, loaded):
        each(inputs)
        names = [
            (weight.path if hasattr(weight, "path") else weight.name) for weight in each.weights
        ]
        by_name = dict(zip(names, each.get_weights(), strict=True))
        biases = [value for key, value in by_name.items() if "bias" in key.rsplit("/", 1)[-1]]
        assert biases
        assert all((value == 1).all() for value in biases)
        kernels = [value for key, value in by_name.items() if "/kernel" in f"/{key}"]
        assert any((value == 0.5).all() for value in kernels)
