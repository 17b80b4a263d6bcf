import numpy as np
import pytest
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
    ConvolutionConfig,
    DeLighTConfig,
    FeedForwardConfig,
    LSRAConfig,
    ScalingConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.surgery import attention_layers, prune_heads

STACKS = {
    "plain": StackConfig(
        3, attention=AttentionConfig(4, gated=True), feed_forward=FeedForwardConfig(24)
    ),
    "shared": StackConfig(
        4,
        attention=AttentionConfig(4, gated=True),
        feed_forward=FeedForwardConfig(24),
        sharing=SharingConfig("groups", groups=2),
    ),
    "halves": StackConfig(
        3,
        attention=AttentionConfig(4, gated=True),
        feed_forward=FeedForwardConfig(24),
        sharing=SharingConfig("feed_forward"),
    ),
    "delight": StackConfig(
        2,
        attention=DeLighTConfig(
            2,
            gated=True,
            scaling=ScalingConfig(2, max_layers=3, width_multiplier=2.0, max_groups=2),
        ),
        feed_forward=FeedForwardConfig(8),
    ),
}


@pytest.mark.costly
@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_pruning_masked_heads_equals_masking_them(stack):
    transformer = make_transformer(stack=stack)
    rng = np.random.default_rng(1)
    removed = 0
    for attention in attention_layers(transformer).values():
        gates = np.ones(attention.num_heads)
        gates[rng.integers(attention.num_heads)] = 0
        gates[gates == 1] = rng.choice([1.0, 0.5], int(gates.sum()))
        attention.gates.assign(gates)
        removed += 1
    before = snapshot(transformer)
    smaller = prune_heads(transformer)
    assert smaller.model.count_params() < transformer.model.count_params()
    np.testing.assert_allclose(logits(smaller), logits(transformer), atol=2e-6)
    assert not any(attention.gated for attention in attention_layers(smaller).values())
    assert removed == len(attention_layers(smaller))
    assert_untouched(transformer, before)
    assert_describes(smaller)


@pytest.mark.slow
def test_given_heads_go_from_one_layer_only():
    transformer = make_transformer()
    smaller = prune_heads(transformer, drop={"encoder_layer_1_self_attention": [0, 3]})
    assert smaller.config.encoder.attention.num_heads == (4, 2, 4, 4)
    assert smaller.config.encoder.attention.head_dim == 4
    assert smaller.config.decoder.attention.num_heads == 4
    difference = transformer.model.count_params() - smaller.model.count_params()
    assert difference == 2 * (4 * 16 * 4 + 3 * 4)
    assert_describes(smaller)


def test_heads_of_a_split_attention():
    attention = LSRAConfig(2, convolution=ConvolutionConfig(num_heads=2))
    stack = StackConfig(2, attention=attention, feed_forward=FeedForwardConfig(16))
    transformer = make_transformer(stack=stack)
    names = [name for name in attention_layers(transformer) if "cross" not in name]
    smaller = prune_heads(transformer, drop={name: [1] for name in names})
    assert smaller.config.encoder.attention.num_heads == 1
    assert np.all(np.isfinite(logits(smaller)))
    assert_describes(smaller)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ({"encoder_layer_9": [0]}, "Received: 'encoder_layer_9'"),
        ({"encoder_layer_0_self_attention": [4]}, r"heads 0 to 3 of .* Received: \[4\]"),
        ({"encoder_layer_0_self_attention": [0, 1, 2, 3]}, "all its heads. Received: 4"),
        (None, "where no attention has gates"),
    ],
)
def test_impossible(heads, message):
    with pytest.raises(InputError, match=message):
        prune_heads(make_transformer(), drop=heads)
