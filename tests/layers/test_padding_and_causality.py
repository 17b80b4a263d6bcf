"""What padding and later positions must never change, for every layer that mixes positions."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.harness import assert_close, lengths_mask, normal, randomize

from tfcompress.layers import (
    FeedForward,
    MultiHeadAttention,
    PaddingMask,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)

LONGEST = 7
LENGTHS = st.lists(st.integers(1, LONGEST), min_size=1, max_size=3)
VECTORS = tf.TensorSpec([None, None, 8])
MASK = tf.TensorSpec([None, None], tf.bool)


def built(layer, **call_kwargs):
    layer(normal(1, 2, 8), **call_kwargs)
    randomize(layer)
    return layer


def attention():
    return built(MultiHeadAttention(2))


def causal_attention():
    return built(MultiHeadAttention(2, causal=True))


def encoder(normalize_first=False):
    layer = TransformerEncoderLayer(
        MultiHeadAttention(2), feed_forward=FeedForward(12), normalize_first=normalize_first
    )
    return built(layer)


def decoder(normalize_first=False):
    layer = TransformerDecoderLayer(
        MultiHeadAttention(2, causal=True),
        cross_attention=MultiHeadAttention(4),
        feed_forward=FeedForward(12),
        normalize_first=normalize_first,
    )
    return built(layer, memory=normal(1, 2, 8))


def additive(mask):
    return PaddingMask(0)(tf.cast(mask, tf.int32))


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (attention, tf.identity),
        (attention, additive),
        (causal_attention, tf.identity),
        (encoder, tf.identity),
        (lambda: encoder(True), additive),
    ],
)
def test_padding_of_the_input_changes_nothing(make, form):
    layer = make()
    padded = tf.function(
        lambda x, mask: layer(x, padding_mask=form(mask)), input_signature=[VECTORS, MASK]
    )
    plain = tf.function(lambda x: layer(x), input_signature=[VECTORS])

    @settings(max_examples=15)
    @given(LENGTHS, st.integers(0, 2))
    def check(lengths, seed):
        x = normal(len(lengths), LONGEST, 8, seed=seed)
        mask = lengths_mask(lengths, LONGEST)
        disturbed = np.where(mask[..., np.newaxis], x, 50 * normal(*x.shape, seed=9))
        batch, disturbed = padded(x, mask), padded(disturbed, mask)
        for row, length in enumerate(lengths):
            alone = plain(x[row : row + 1, :length])[0]
            assert_close(batch[row, :length], alone, 2e-5)
            assert_close(disturbed[row, :length], alone, 2e-5)

    check()


@pytest.mark.parametrize(
    ("make", "keyword"),
    [
        (attention, "padding_mask"),
        (decoder, "memory_padding_mask"),
        (lambda: decoder(True), "memory_padding_mask"),
    ],
)
def test_padding_of_the_memory_changes_nothing(make, keyword):
    layer = make()
    padded = tf.function(
        lambda x, memory, mask: layer(x, memory=memory, **{keyword: mask}),
        input_signature=[VECTORS, VECTORS, MASK],
    )
    plain = tf.function(
        lambda x, memory: layer(x, memory=memory), input_signature=[VECTORS, VECTORS]
    )

    @settings(max_examples=15)
    @given(LENGTHS, st.integers(1, 3))
    def check(lengths, queries):
        x = normal(len(lengths), queries, 8)
        memory, mask = normal(len(lengths), LONGEST, 8, seed=1), lengths_mask(lengths, LONGEST)
        batch = padded(x, memory, mask)
        for row, length in enumerate(lengths):
            alone = plain(x[row : row + 1], memory[row : row + 1, :length])[0]
            assert_close(batch[row], alone, 2e-5)

    check()


@pytest.fixture(params=["attention", "post_norm", "pre_norm"])
def causal(request):
    """A causal layer, as a function of its input."""
    memory = tf.constant(normal(1, 3, 8, seed=4))
    if request.param == "attention":
        layer, kwargs = causal_attention(), {}
    else:
        layer, kwargs = decoder(request.param == "pre_norm"), {"memory": memory}
    return tf.function(lambda x: layer(x, **kwargs), input_signature=[VECTORS])


def test_later_positions_change_nothing(causal):
    @settings(max_examples=15)
    @given(st.integers(1, LONGEST), st.data())
    def check(length, data):
        kept = data.draw(st.integers(1, length))
        x = normal(1, length, 8)
        changed = np.concatenate([x[:, :kept], 50 * normal(1, length - kept, 8, seed=1)], axis=1)
        whole = causal(x)[:, :kept]
        assert_close(causal(changed)[:, :kept], whole, 2e-5)
        assert_close(causal(x[:, :kept]), whole, 2e-5)

    check()


def test_earlier_positions_do_count(causal):
    x = normal(1, 5, 8)
    changed = np.concatenate([normal(1, 1, 8, seed=5), x[:, 1:]], axis=1)
    difference = np.abs(causal(x) - causal(changed))
    assert np.all(difference.max(axis=-1) > 1e-4)
