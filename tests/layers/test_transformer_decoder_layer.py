import numpy as np
import pytest
import tensorflow as tf
from layers.harness import (
    assert_close,
    global_policy,
    lengths_mask,
    normal,
    randomize,
    run_layer_test,
    run_step_test,
)
from tensorflow import keras

from tfcompress.layers import FeedForward, MultiHeadAttention, TransformerDecoderLayer

ATTENTION = 4 * 8 * 8 + 4 * 8
FEED_FORWARD = 2 * 8 * 12 + 12 + 8
NORMALIZATION = 2 * 8
MEMORY = {"memory": normal(2, 4, 8, seed=1), "memory_padding_mask": lengths_mask([4, 2], 4)}


def make(parts="self_attention cross_attention feed_forward", memory_dim=None, **options):
    available = {
        "self_attention": MultiHeadAttention(2, causal=True),
        "cross_attention": MultiHeadAttention(2, memory_dim=memory_dim),
        "feed_forward": FeedForward(12),
    }
    return TransformerDecoderLayer(**{name: available[name] for name in parts.split()}, **options)


@pytest.mark.parametrize(
    ("options", "call_kwargs", "parameters", "zero_gradients"),
    [
        (
            {"dropout": 0.2},
            MEMORY,
            2 * ATTENTION + FEED_FORWARD + 3 * NORMALIZATION,
            2,
        ),
        (
            {"parts": "self_attention feed_forward", "normalize_first": True},
            {},
            ATTENTION + FEED_FORWARD + 2 * NORMALIZATION,
            1,
        ),
    ],
    ids=["post_norm", "language_model"],
)
def test_contract(options, call_kwargs, parameters, zero_gradients):
    run_layer_test(
        lambda: make(**options),
        normal(2, 5, 8),
        call_kwargs=call_kwargs,
        output_shape=(2, 5, 8),
        parameters=parameters,
        zero_gradients=zero_gradients,
        random_in_training="dropout" in options,
    )


def built(memory_dim=8, **options):
    layer = make(memory_dim=memory_dim, **options)
    layer(normal(2, 5, 8), memory=normal(2, 4, memory_dim))
    randomize(layer)
    return layer


@pytest.mark.parametrize("normalize_first", [False, True])
def test_order_of_normalization(normalize_first):
    layer = built(normalize_first=normalize_first)
    x = expected = normal(2, 5, 8)
    cross = {"memory": MEMORY["memory"], "padding_mask": MEMORY["memory_padding_mask"]}
    for name in layer.sublayer_names:
        function, norm = getattr(layer, name), getattr(layer, f"{name}_normalization")
        kwargs = cross if name == "cross_attention" else {}
        if normalize_first:
            expected = expected + function(norm(expected), **kwargs)
        else:
            expected = norm(expected + function(expected, **kwargs))
    assert_close(layer(x, **MEMORY), expected, 0)


STEPS = [
    ("self_attention cross_attention feed_forward", 3, 4),
    ("self_attention cross_attention feed_forward", 1, 1),
    ("self_attention cross_attention", 3, 2),
    ("self_attention feed_forward", 3, 2),
    ("cross_attention feed_forward", 3, 2),
    ("feed_forward", 3, 2),
]


@pytest.mark.parametrize("normalize_first", [False, True])
@pytest.mark.parametrize(("parts", "batch", "length"), STEPS)
def test_step(parts, batch, length, normalize_first):
    crosses = "cross" in parts
    memory = {"memory": normal(batch, 5, 6, seed=1)} if crosses else {}
    lengths = [5, 2, 4][:batch]
    mask = {"memory_padding_mask": lengths_mask(lengths, 5)} if crosses and batch > 1 else {}
    run_step_test(
        built(parts=parts, normalize_first=normalize_first, memory_dim=6),
        normal(batch, length, 8),
        call_kwargs={**memory, **mask},
        cache_kwargs={"batch_size": batch, "max_length": length + 1, **memory},
        step_kwargs=mask,
    )


@pytest.mark.parametrize("masked", [False, True])
def test_one_memory_serves_every_row(masked):
    layer = built()
    x, memory = normal(3, 4, 8), normal(1, 5, 8, seed=1)
    mask = lengths_mask([3], 5) if masked else None
    repeated = np.repeat(mask, 3, axis=0) if masked else None
    whole = layer(x, memory=np.repeat(memory, 3, axis=0), memory_padding_mask=repeated)
    cache = layer.init_cache(3, 4, memory)
    assert cache["cross_attention"]["memory_keys"].shape[0] == 1
    for position in range(4):
        y, cache = layer.step(x[:, position], position, cache, memory_padding_mask=mask)
        assert_close(y, whole[:, position])


def test_step_in_half_precision():
    with global_policy("mixed_float16"):
        layer = built()
        x, memory = normal(2, 4, 8), normal(2, 5, 8, seed=1)
        whole = layer(x, memory=memory)
        cache = layer.init_cache(2, 4, memory)
        for position in range(4):
            y, cache = layer.step(tf.constant(x[:, position]), position, cache)
            assert y.dtype == whole.dtype
            assert_close(y, whole[:, position], 2e-2)


class OneStep(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, inputs, training=None):
        cache = self.layer.init_cache(batch_size=2, max_length=1)
        return self.layer.step(inputs, 0, cache)[0]


def test_step_never_drops_out():
    layer = TransformerDecoderLayer(
        MultiHeadAttention(2, causal=True, dropout=0.5),
        feed_forward=FeedForward(12, dropout=0.5),
        dropout=0.5,
    )
    x = normal(2, 1, 8)
    layer(x)
    model = OneStep(layer)
    for training in (False, True):
        assert_close(model(x[:, 0], training=training), layer(x)[:, 0], 1e-6)
