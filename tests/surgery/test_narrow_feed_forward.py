import numpy as np
import pytest
from surgery.small_models import (
    INPUTS,
    assert_describes,
    assert_untouched,
    logits,
    make_transformer,
    snapshot,
)

from tfcompress.errors import InputError
from tfcompress.models import AttentionConfig, FeedForwardConfig, SharingConfig, StackConfig
from tfcompress.surgery import narrow_feed_forward


@pytest.mark.costly
@pytest.mark.parametrize("batches", [None, [INPUTS, INPUTS]], ids=["weights", "measured"])
@pytest.mark.parametrize("pattern", ["none", "attention", "all"])
def test_units_that_do_nothing_go_first(batches, pattern):
    stack = StackConfig(
        2,
        attention=AttentionConfig(2),
        feed_forward=FeedForwardConfig(12),
        sharing=SharingConfig(pattern),
    )
    transformer = make_transformer(stack=stack)
    for layer in (*transformer.encoder_layers, *transformer.decoder_layers):
        if layer.feed_forward is not None:
            kernel, bias = layer.feed_forward.outer.get_weights()
            kernel[[1, 4, 7, 8, 11]] = 0
            layer.feed_forward.outer.set_weights([kernel, bias])
    before = snapshot(transformer)
    smaller = narrow_feed_forward(transformer, 7, batches)
    assert smaller.config.encoder.feed_forward.intermediate_dim == 7
    np.testing.assert_allclose(logits(smaller), logits(transformer), atol=1e-5)
    assert_untouched(transformer, before)
    assert_describes(smaller)


@pytest.mark.slow
def test_one_side():
    smaller = narrow_feed_forward(make_transformer(), {"decoder": 8})
    assert smaller.config.encoder.feed_forward.intermediate_dim == 24
    assert smaller.config.decoder.feed_forward.intermediate_dim == 8


@pytest.mark.costly
@pytest.mark.parametrize("width", [0, 25, {"middle": 3}])
def test_impossible(width):
    with pytest.raises(InputError):
        narrow_feed_forward(make_transformer(), width)
