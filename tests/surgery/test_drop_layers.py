import numpy as np
import pytest
from flavours import one_flavour
from surgery.small_models import (
    assert_describes,
    assert_untouched,
    logits,
    make_transformer,
    snapshot,
)

from tfcompress.errors import InputError
from tfcompress.models import (
    AttentionConfig,
    DeLighTConfig,
    FeedForwardConfig,
    LayerDropConfig,
    ScalingConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.surgery import drop_layers, every_other, search_layers


def make_stack(**settings):
    return StackConfig(
        4, attention=AttentionConfig((2, 4, 8, 4)), feed_forward=FeedForwardConfig(24), **settings
    )


def test_the_layers_that_are_left_do_what_they_did():
    transformer = make_transformer(stack=make_stack(layer_drop=LayerDropConfig(0.3)))
    before = snapshot(transformer)
    smaller = drop_layers(transformer, keep={"encoder": [0, 2]}, drop={"decoder": [2, 0]})
    assert smaller.config.encoder.attention.num_heads == (2, 8)
    assert smaller.config.decoder.attention.num_heads == (4, 4)
    assert not smaller.config.encoder.drops_layers
    expected = _without(transformer, encoder=[0, 2], decoder=[1, 3])
    np.testing.assert_allclose(logits(smaller), expected, atol=1e-6)
    assert_untouched(transformer, before)
    assert_describes(smaller)


def _without(transformer, **kept):
    """The logits of the old model with all other layers jumped over."""
    from surgery.small_models import INPUTS

    memory, mask = transformer._layers["source_padding_mask"], None
    mask = memory(INPUTS["source_token_ids"])
    x = transformer.layer("source_position")(
        transformer.layer("embedding")(INPUTS["source_token_ids"])
    )
    for index in kept["encoder"]:
        x = transformer.encoder_layers[index](x, padding_mask=mask)
    y = transformer.layer("target_position")(
        transformer.layer("embedding")(INPUTS["target_token_ids"])
    )
    for index in kept["decoder"]:
        y = transformer.decoder_layers[index](y, memory=x, memory_padding_mask=mask)
    return np.asarray(transformer.layer("embedding")(y, reverse=True))


@pytest.mark.costly
@pytest.mark.parametrize(
    ("sharing", "kept", "pattern"),
    [
        (SharingConfig("all"), [0, 1], "all"),
        (SharingConfig("groups", groups=2), [0, 3], "none"),
        (SharingConfig("groups", groups=2), [0, 1, 2, 3], "groups"),
        (SharingConfig("attention"), [1, 2], "attention"),
    ],
)
def test_shared_stacks(sharing, kept, pattern):
    stack = StackConfig(
        4, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(24), sharing=sharing
    )
    smaller = drop_layers(make_transformer(stack=stack), keep={"encoder": kept})
    assert smaller.config.encoder.sharing.pattern == pattern
    assert smaller.config.encoder.num_layers == len(kept)
    assert_describes(smaller)


def test_every_other_is_the_papers_rule():
    assert every_other(6) == [0, 2, 4]
    assert every_other(10, rate=0.2) == [0, 1, 2, 3, 5, 6, 7, 8]


@pytest.mark.slow
@one_flavour
def test_search_keeps_what_scores_best():
    transformer = make_transformer()
    wanted = np.asarray(transformer.decoder_layers[2].get_weights()[0]).sum()

    def score(candidate):
        sums = [np.asarray(x.get_weights()[0]).sum() for x in candidate.decoder_layers]
        return float(np.any(np.isclose(sums, wanted, rtol=1e-6)))

    kept = search_layers(transformer, score, decoder=1)
    assert kept == {"encoder": [0, 1, 2, 3], "decoder": [2]}


@pytest.mark.costly
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keep": {"encoder": []}}, "lose all its layers"),
        ({"drop": {"encoder": [0, 1, 2, 3]}}, "lose all its layers"),
        ({"keep": {"decoder": [4]}}, r"layers 0 to 3. Received: \[4\]"),
        ({"drop": {"decoder": [-1]}}, r"layers 0 to 3. Received: \[-1\]"),
        ({"keep": {"decoder": [1, 1]}}, "must not repeat"),
        ({"drop": {"middle": [1]}}, r"encoder and decoder. Received: drop=\['middle'\]"),
        ({"keep": {"encoder": [1]}, "drop": {"encoder": [0]}}, "Received: both for the encoder"),
    ],
)
def test_impossible(arguments, message):
    with pytest.raises(InputError, match=message):
        drop_layers(make_transformer(), **arguments)


def test_impossible_stacks():
    stack = StackConfig(
        4,
        attention=AttentionConfig(2),
        feed_forward=FeedForwardConfig(24),
        sharing=SharingConfig("groups", groups=2),
    )
    with pytest.raises(InputError, match="shared unevenly"):
        drop_layers(make_transformer(stack=stack), keep={"encoder": [0, 2, 3]})
    stack = StackConfig(
        3,
        attention=DeLighTConfig(1, scaling=ScalingConfig(2, max_layers=4)),
        feed_forward=FeedForwardConfig(8),
    )
    with pytest.raises(InputError, match="scaled by their place"):
        drop_layers(make_transformer(stack=stack), keep={"encoder": [0]})
