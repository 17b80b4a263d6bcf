import pytest
from export_harness import make_transformer, plain_transformer

from tfcompress.errors import InputError
from tfcompress.export.conversion.layered_decoder import LayeredDecoder
from tfcompress.layers import TransformerDecoderLayer
from tfcompress.models import AttentionConfig, StackConfig


def test_state_without_sharing():
    decoder = LayeredDecoder(plain_transformer())
    assert decoder.state.caches == decoder.state.memories == [(2, 16), (2, 16)]
    assert decoder.state.histories == []
    assert decoder.indices == [(0, None, 0), (1, None, 1)]


def test_shared_attention_has_one_memory_and_a_cache_for_each_depth():
    decoder = LayeredDecoder(make_transformer(sharing="all", depth=3))
    assert decoder.state.caches == [(2, 16)] * 3
    assert decoder.state.memories == [(2, 16)]
    assert decoder.indices == [(0, None, 0), (1, None, 0), (2, None, 0)]


def test_half_layers_without_attention_keep_nothing():
    decoder = LayeredDecoder(make_transformer(sharing="feed_forward"))
    nothing = (None, None, None)
    assert decoder.indices == [(0, None, 0), nothing, (1, None, 1), nothing]


@pytest.mark.parametrize(("kind", "caches"), [("convolution", []), ("lsra", [(2, 8)])])
def test_convolutions_keep_their_inputs(kind, caches):
    stack = StackConfig(2, AttentionConfig(2, kind=kind))
    decoder = LayeredDecoder(make_transformer(decoder=stack))
    width = 32 if kind == "convolution" else 16
    assert decoder.state.caches == caches * 2
    assert decoder.state.histories == [(1, width)] * 2
    assert [layer[1] for layer in decoder.indices] == [0, 1]


def test_head_width():
    stack = StackConfig(1, AttentionConfig(3, head_dim=5))
    decoder = LayeredDecoder(make_transformer(encoder=stack, decoder=stack))
    assert decoder.state.caches == decoder.state.memories == [(3, 5)]


def test_unknown_caches_are_refused(monkeypatch):
    init_cache = TransformerDecoderLayer.init_cache

    def with_inputs(self, *args):
        return {**init_cache(self, *args), "last_inputs": None}

    monkeypatch.setattr(TransformerDecoderLayer, "init_cache", with_inputs)
    with pytest.raises(InputError, match="decoder_layer_0 keeps last_inputs between steps"):
        LayeredDecoder(plain_transformer())
