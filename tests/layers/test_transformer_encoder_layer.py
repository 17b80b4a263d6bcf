import numpy as np
import pytest
import tensorflow as tf
from layers.harness import assert_close, lengths_mask, normal, randomize, run_layer_test
from tensorflow import keras

from tfcompress.layers import FeedForward, MultiHeadAttention, TransformerEncoderLayer

MASK = lengths_mask([3, 5], 5)
ATTENTION = 4 * 8 * 8 + 4 * 8
FEED_FORWARD = 2 * 8 * 12 + 12 + 8
NORMALIZATION = 2 * 8


@keras.utils.register_keras_serializable("tests")
class MeanOfTokens(keras.layers.Layer):
    """A stand-in for somebody's own attention: no weights, the mean of the tokens."""

    def call(self, inputs, padding_mask=None, training=None):
        tokens = tf.cast(padding_mask, inputs.dtype)[:, :, tf.newaxis]
        count = tf.reduce_sum(tokens, 1, keepdims=True)
        return inputs + tf.reduce_sum(inputs * tokens, 1, keepdims=True) / count

    def compute_output_shape(self, input_shape):
        return input_shape


def attention(**kwargs):
    return MultiHeadAttention(2, **kwargs)


@pytest.mark.parametrize(
    ("make_layer", "parameters", "zero_gradients"),
    [
        (
            lambda: TransformerEncoderLayer(attention(), feed_forward=FeedForward(12), dropout=0.2),
            ATTENTION + FEED_FORWARD + 2 * NORMALIZATION,
            1,
        ),
        (
            lambda: TransformerEncoderLayer(
                MeanOfTokens(),
                feed_forward=keras.Sequential([keras.layers.Dense(12), keras.layers.Dense(8)]),
                normalize_first=True,
                dropout=0.2,
            ),
            FEED_FORWARD + 2 * NORMALIZATION,
            0,
        ),
    ],
    ids=["post_norm", "own_layers"],
)
def test_contract(make_layer, parameters, zero_gradients):
    run_layer_test(
        make_layer,
        normal(2, 5, 8),
        call_kwargs={"padding_mask": MASK},
        output_shape=(2, 5, 8),
        parameters=parameters,
        zero_gradients=zero_gradients,
        random_in_training=True,
    )


def built(**options):
    layer = TransformerEncoderLayer(**options)
    layer(normal(2, 5, 8), padding_mask=MASK)
    randomize(layer)
    return layer


@pytest.mark.parametrize("parts", ["both", "attention", "feed_forward"])
@pytest.mark.parametrize("normalize_first", [False, True])
def test_order_of_normalization(normalize_first, parts):
    layer = built(
        attention=None if parts == "feed_forward" else attention(),
        feed_forward=None if parts == "attention" else FeedForward(12),
        normalize_first=normalize_first,
    )
    x = expected = normal(2, 5, 8)
    for part, kwargs in (("attention", {"padding_mask": MASK}), ("feed_forward", {})):
        if parts not in ("both", part):
            continue
        function, norm = getattr(layer, part), getattr(layer, f"{part}_normalization")
        if normalize_first:
            expected = expected + function(norm(expected), **kwargs)
        else:
            expected = norm(expected + function(expected, **kwargs))
    assert_close(layer(x, padding_mask=MASK), expected, 0)


@pytest.mark.parametrize("normalize_first", [False, True])
def test_two_halves_are_the_whole(normalize_first):
    whole = built(
        attention=attention(), feed_forward=FeedForward(12), normalize_first=normalize_first
    )
    first = built(attention=attention(), normalize_first=normalize_first)
    second = built(feed_forward=FeedForward(12), normalize_first=normalize_first)
    for half in (first, second):
        for name in half.sublayer_names:
            if getattr(half, name) is not None:
                for part in (name, f"{name}_normalization"):
                    getattr(half, part).set_weights(getattr(whole, part).get_weights())
    x = normal(2, 5, 8, seed=3)
    assert_close(second(first(x, padding_mask=MASK)), whole(x, padding_mask=MASK), 0)


def test_zero_weights_pass_the_input_on():
    layer = built(attention=attention(), feed_forward=FeedForward(12), normalize_first=True)
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    x = normal(2, 5, 8)
    assert_close(layer(x), x, 0)


@pytest.mark.parametrize(
    "make_layer",
    [
        lambda: keras.layers.Dense(8),
        lambda: keras.layers.Dropout(0.1),
        lambda: keras.layers.Conv1D(8, 3, padding="same"),
        lambda: keras.Sequential([keras.layers.Dense(12, "relu"), keras.layers.Dense(8)]),
    ],
    ids=["dense", "dropout", "convolution", "sequential"],
)
def test_any_keras_layer_may_stand_in(make_layer):
    layer = TransformerEncoderLayer(attention(), feed_forward=make_layer())
    x = normal(2, 5, 8)
    y = layer(x)
    expected = layer.attention_normalization(x + layer.attention(x))
    expected = layer.feed_forward_normalization(expected + layer.feed_forward(expected))
    assert_close(y, expected, 0)
    twin = TransformerEncoderLayer.from_config(layer.get_config())
    twin(x)
    twin.set_weights(layer.get_weights())
    assert_close(twin(x), y, 0)


def test_sublayers_that_are_built_keep_their_weights():
    inner = attention()
    inner(normal(2, 5, 8))
    before = inner.get_weights()
    layer = TransformerEncoderLayer(inner)
    layer(normal(2, 5, 8))
    for a, b in zip(before, layer.attention.get_weights()):
        assert_close(a, b, 0)
