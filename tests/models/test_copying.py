"""Weights are copied layer by layer, whatever is frozen inside a layer."""

import numpy as np
import pytest
from layers.harness import global_policy
from tensorflow import keras

from tfcompress import layers
from tfcompress.layers import initialize_successors
from tfcompress.layers.common.nested import named_layers
from tfcompress.models import TextEncoder, TextEncoderConfig
from tfcompress.models.copying import copy_weights
from tfcompress.models.precision import float32_twin
from tfcompress.models.transfer import transfer_weights

# Of equal shapes, which are swapped silently, and of different ones.
FROZEN = ["query", "value", "output_projection", "inner", "outer", "attention", "normalization"]


def make():
    attention, feed_forward = layers.MultiHeadAttention(2), layers.FeedForward(24)
    return layers.TransformerEncoderLayer(attention, feed_forward=feed_forward, name="block")


def freeze(layer, name):
    inner = [x for path, x in named_layers(layer, keras.layers.Layer).items() if name in path]
    assert inner
    inner[0].trainable = False


def functional():
    x = keras.Input((None, 16))
    return keras.Model(x, keras.layers.Dense(3)(make()(x)))


def kernels(layer):
    by_path = named_layers(layer, keras.layers.Layer)
    return {
        path: np.array(inner.kernel).astype("f")
        for path, inner in by_path.items()
        if hasattr(inner, "kernel")
    }


def assert_alike(one, other):
    one, other = kernels(one), kernels(other)
    assert len(one) >= 6
    for path, kernel in one.items():
        np.testing.assert_array_equal(kernel, other[path], err_msg=path)


@pytest.mark.parametrize("frozen", FROZEN)
def test_frozen_layers_inside_a_layer(frozen):
    with global_policy("mixed_bfloat16"):
        model = functional()
    freeze(model.get_layer("block"), frozen)
    twin = float32_twin(model)
    assert_alike(model.get_layer("block"), twin.get_layer("block"))
    half, target = make(), functional().get_layer("block")
    half.build((None, None, 16))
    freeze(half, frozen)
    flags = [layer.trainable for layer in half._flatten_layers()]
    copy_weights(half, target)
    assert_alike(half, target)
    freeze(target, FROZEN[0])
    copy_weights(functional().get_layer("block"), target)
    copy_weights(half, target)
    assert_alike(half, target)
    assert [layer.trainable for layer in half._flatten_layers()] == flags


def test_successors_with_frozen_layers():
    module = layers.TheseusModule([make(), make()], successor=make())
    keras.Sequential([keras.Input((None, 16)), module])
    freeze(module.successor, "value")
    initialize_successors([module])
    assert_alike(module.predecessors[0], module.successor)
    assert not any(layer.trainable for layer in module.predecessors[0]._flatten_layers())


def test_transfer_with_frozen_layers():
    config = TextEncoderConfig.from_mapping(
        {
            "vocabulary_size": 20,
            "hidden_dim": 16,
            "encoder": {
                "num_layers": 1,
                "attention": {"num_heads": 2},
                "feed_forward": {"intermediate_dim": 24},
            },
        }
    )
    source, target = TextEncoder(config), TextEncoder(config)
    freeze(source.encoder_layers[0], "value")
    freeze(target.encoder_layers[0], "inner")
    freeze(source.layer("embedding"), "normalization")
    assert transfer_weights(source, target) == []
    assert_alike(source.encoder_layers[0], target.encoder_layers[0])
    tables = [x.layer("embedding").embeddings for x in (source, target)]
    np.testing.assert_array_equal(*tables)
