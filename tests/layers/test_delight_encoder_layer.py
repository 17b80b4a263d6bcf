import numpy as np
import pytest
import tensorflow as tf
from layers.harness import (
    assert_close,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
)
from tensorflow import keras

from tfcompress.layers import (
    DeLighTEncoderLayer,
    DExTraBlock,
    FeedForward,
    MultiHeadAttention,
    TransformerEncoderLayer,
)

MASK = lengths_mask([3, 5], 5)
WIDTH = 16


def make(**options):
    parts = {
        "transform": DExTraBlock(8, num_layers=2, max_groups=2),
        "attention": MultiHeadAttention(1, output_dim=WIDTH),
        "feed_forward": FeedForward(4, activation="swish"),
    }
    return DeLighTEncoderLayer(**{**parts, **options})


def built(**options):
    layer = make(**options)
    layer(normal(2, 5, WIDTH), padding_mask=MASK)
    randomize(layer)
    return layer


def test_contract():
    transform = built().transform.count_params()
    attention = 3 * (8 * 8 + 8) + 8 * WIDTH + WIDTH
    feed_forward = 2 * WIDTH * 4 + 4 + WIDTH
    run_layer_test(
        lambda: make(dropout=0.2),
        normal(2, 5, WIDTH),
        call_kwargs={"padding_mask": MASK},
        output_shape=(2, 5, WIDTH),
        parameters=transform + attention + feed_forward + 2 * 2 * WIDTH,
        zero_gradients=1,  # the keys' bias
        random_in_training=True,
    )


@pytest.mark.parametrize("feeds", [True, False])
@pytest.mark.parametrize("normalize_first", [False, True])
def test_attention_sees_the_transform(normalize_first, feeds):
    options = {} if feeds else {"feed_forward": None}
    layer = built(normalize_first=normalize_first, **options)
    x = y = normal(2, 5, WIDTH)

    def attend(z):
        return layer.attention(layer.transform(z), padding_mask=MASK)

    for name, function in {"attention": attend, "feed_forward": layer.feed_forward}.items():
        if function is None:
            continue
        norm = getattr(layer, f"{name}_normalization")
        y = y + function(norm(y)) if normalize_first else norm(y + function(y))
    assert_close(layer(x, padding_mask=MASK), y, 0)


def test_a_transform_that_does_nothing():
    layer = built(transform=keras.layers.Activation("linear"))
    plain = TransformerEncoderLayer(
        MultiHeadAttention(1, output_dim=WIDTH), feed_forward=FeedForward(4, activation="swish")
    )
    x = normal(2, 5, WIDTH)
    plain(x)
    plain.set_weights(layer.get_weights())
    assert_close(layer(x, padding_mask=MASK), plain(x, padding_mask=MASK), 0)


def test_dropout_of_the_transform_is_for_training():
    layer = make(transform=DExTraBlock(8, num_layers=2, max_groups=2, dropout=0.5))
    x = normal(2, 5, WIDTH)
    assert_close(layer(x), layer(x, training=False), 0)
    assert np.abs(layer(x, training=True) - layer(x)).max() > 1e-3


def test_padding_changes_no_token():
    layer = built()
    x = normal(2, 5, WIDTH)
    other = np.where(MASK[..., np.newaxis], x, 7)
    difference = layer(x, padding_mask=MASK) - layer(other, padding_mask=MASK)
    assert_close(np.asarray(difference)[MASK], np.zeros((8, WIDTH)), 1e-6)


def test_export():
    run_export_test(built(), normal(2, 5, WIDTH), call_kwargs={"padding_mask": MASK})


X = normal(2, 5, WIDTH)
CASES = {
    "transform": (
        lambda: make(transform=tf.nn.relu),
        ["`transform` must be a Keras layer", "transform=<function"],
    ),
    "no_transform": (lambda: make(transform=None), ["`transform`", "transform=None"]),
    "no_attention": (
        lambda: make(attention=None),
        ["`attention`", "attention=None", "use the ordinary one"],
    ),
    "attention_of_another_width": (
        lambda: make(attention=MultiHeadAttention(1))(X),
        ["`attention`", "width=16, transformed=8, attention=8", "Pass output_dim=16"],
    ),
    "dropout": (lambda: make(dropout=1.0), ["`dropout`", "dropout=1.0"]),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    action, fragments = CASES[name]
    with pytest.raises(ValueError) as caught:
        action()
    for fragment in ("Received: ", *fragments):
        assert fragment in str(caught.value)
