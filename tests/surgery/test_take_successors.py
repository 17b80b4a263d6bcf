import numpy as np
import pytest
from surgery.small_models import assert_describes, logits, make_transformer

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    FeedForwardConfig,
    LayerDropConfig,
    Seq2SeqTransformer,
    StackConfig,
)
from tfcompress.models.transfer import transfer_weights
from tfcompress.surgery import drop_layers, take_successors


def make_stack(**settings):
    return StackConfig(
        4, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(24), **settings
    )


@pytest.mark.costly
@pytest.mark.parametrize("drop", [LayerDropConfig(), LayerDropConfig(0.2)])
def test_computes_what_the_replaced_model_computes(drop):
    transformer = make_transformer(
        encoder=make_stack(successors=2, layer_drop=drop), decoder=make_stack()
    )
    smaller = take_successors(transformer)
    assert (smaller.config.encoder.num_layers, smaller.config.decoder.num_layers) == (2, 4)
    assert smaller.config.encoder.successors is None
    np.testing.assert_array_equal(logits(smaller), logits(transformer))
    assert_describes(smaller)
    assert_describes(transformer)


@pytest.mark.slow
def test_successors_begin_as_the_first_layers():
    trained = make_transformer(stack=make_stack())
    config = trained.config.replace(encoder=make_stack(successors=2))
    replaced = Seq2SeqTransformer(config)
    assert transfer_weights(trained, replaced) == []
    expected = drop_layers(trained, keep={"encoder": [0, 1]})
    np.testing.assert_array_equal(logits(take_successors(replaced)), logits(expected))


def test_nothing_to_take():
    with pytest.raises(InputError, match="needs a model with successors"):
        take_successors(make_transformer())
