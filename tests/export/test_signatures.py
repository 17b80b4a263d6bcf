import pytest
from export_harness import make_transformer, plain_transformer
from hypothesis import given
from hypothesis import strategies as st

from tfcompress.errors import InputError
from tfcompress.export.signatures import decoder_state, logits_block
from tfcompress.layers import TransformerDecoderLayer
from tfcompress.models import AttentionConfig, StackConfig


@given(st.integers(1, 100_000))
def test_logits_block(size):
    block = logits_block(size)
    divisors = [b for b in range(16, 65) if size % b == 0]
    assert block == (max(divisors) if divisors else None)


def test_usual_vocabularies_have_blocks():
    sizes = {6000: 60, 8000: 64, 10_000: 50, 32_000: 64, 40_000: 64, 7919: None}
    assert {size: logits_block(size) for size in sizes} == sizes


def test_state_without_sharing():
    state = decoder_state(plain_transformer())
    assert state.caches == state.memories == [(2, 16), (2, 16)]
    assert state.histories == []
    assert state.layers == [(0, None, 0), (1, None, 1)]


def test_shared_attention_has_one_memory_and_a_cache_for_each_depth():
    state = decoder_state(make_transformer(sharing="all", depth=3))
    assert state.caches == [(2, 16)] * 3
    assert state.memories == [(2, 16)]
    assert state.layers == [(0, None, 0), (1, None, 0), (2, None, 0)]


def test_half_layers_without_attention_keep_nothing():
    state = decoder_state(make_transformer(sharing="feed_forward"))
    nothing = (None, None, None)
    assert state.layers == [(0, None, 0), nothing, (1, None, 1), nothing]


@pytest.mark.parametrize(("kind", "caches"), [("convolution", []), ("lsra", [(2, 8)])])
def test_convolutions_keep_their_inputs(kind, caches):
    stack = StackConfig(2, AttentionConfig(2, kind=kind))
    state = decoder_state(make_transformer(decoder=stack))
    width = 32 if kind == "convolution" else 16
    assert state.caches == caches * 2
    assert state.histories == [(1, width)] * 2
    assert [layer[1] for layer in state.layers] == [0, 1]


def test_head_width():
    stack = StackConfig(1, AttentionConfig(3, head_dim=5))
    state = decoder_state(make_transformer(encoder=stack, decoder=stack))
    assert state.caches == state.memories == [(3, 5)]


def test_unknown_caches_are_refused(monkeypatch):
    init_cache = TransformerDecoderLayer.init_cache

    def with_inputs(self, *args):
        return {**init_cache(self, *args), "last_inputs": None}

    monkeypatch.setattr(TransformerDecoderLayer, "init_cache", with_inputs)
    with pytest.raises(InputError, match="decoder_layer_0 keeps last_inputs between steps"):
        decoder_state(plain_transformer())
