import pytest
from layers.harness import normal

from tfcompress.layers import (
    FeedForward,
    FixedPatternAttention,
    MultiHeadAttention,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from tfcompress.layers.common.plain import fits_operation, is_plain


class Heads(MultiHeadAttention):
    pass


def encoder(attention=None, activation="relu"):
    layer = TransformerEncoderLayer(
        attention or MultiHeadAttention(2), feed_forward=FeedForward(8, activation=activation)
    )
    layer(normal(1, 3, 8))
    return layer


@pytest.mark.parametrize(
    ("layer", "plain", "fits"),
    [
        (lambda: encoder(), True, True),
        (lambda: encoder(MultiHeadAttention(2, gated=True)), True, False),
        (lambda: encoder(activation="selu"), True, False),
        (lambda: encoder(Heads(2)), False, False),
        (lambda: encoder(FixedPatternAttention(["next"])), False, False),
        (lambda: TransformerEncoderLayer(MultiHeadAttention(2)), False, False),
        (lambda: TransformerDecoderLayer(feed_forward=FeedForward(8)), False, False),
        (lambda: FeedForward(8), False, False),
    ],
)
def test_layers(layer, plain, fits):
    layer = layer()
    assert is_plain(layer, TransformerEncoderLayer) == plain
    assert fits_operation(layer, TransformerEncoderLayer) == fits
    assert not is_plain(layer, TransformerDecoderLayer)
