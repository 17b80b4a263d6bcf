import pytest
from export_harness import make_transformer, plain_transformer

from tfcompress.decoder_state import StateSpec
from tfcompress.errors import InputError
from tfcompress.export.conversion.layered_decoder import LayeredDecoder
from tfcompress.layers import MultiHeadAttention
from tfcompress.models import MIXERS, AttentionConfig, StackConfig


def cache(heads=2, width=16):
    return StateSpec((heads, None, width))


def memory(heads=2, width=16):
    return StateSpec((heads, None, width), per="sentence")


def own(*numbers):
    return {"keys": f"keys_{numbers[0]}", "values": f"values_{numbers[0]}"}


def layer_names(depth, shared):
    other = {name: f"{name}_{shared}" for name in ("memory_keys", "memory_values")}
    return {"self_attention": own(depth), "cross_attention": other}


def test_state_without_sharing():
    decoder = LayeredDecoder(plain_transformer())
    assert list(decoder.state.items()) == [
        *((f"{name}_{i}", cache()) for name in ("keys", "values") for i in range(2)),
        *((f"memory_{name}_{i}", memory()) for name in ("keys", "values") for i in range(2)),
    ]
    assert decoder.names == [layer_names(0, 0), layer_names(1, 1)]


def test_shared_attention_has_one_memory_and_a_cache_for_each_depth():
    decoder = LayeredDecoder(make_transformer(sharing="all", depth=3))
    assert decoder.names == [layer_names(depth, 0) for depth in range(3)]
    assert len(decoder.state) == 3 * 2 + 2


def test_half_layers_without_attention_keep_nothing():
    decoder = LayeredDecoder(make_transformer(sharing="feed_forward"))
    assert decoder.names == [layer_names(0, 0), {}, layer_names(1, 1), {}]


@pytest.mark.parametrize("mixer", ["convolution", "lsra"])
def test_convolutions_keep_their_inputs(mixer):
    stack = StackConfig(2, attention=MIXERS[mixer](2))
    decoder = LayeredDecoder(make_transformer(decoder=stack))
    names = [layer["self_attention"] for layer in decoder.names]
    inputs = [{"inputs": "inputs_0"}, {"inputs": "inputs_1"}]
    if mixer == "lsra":
        inputs = [{"attention": own(i), "convolution": part} for i, part in enumerate(inputs)]
        assert decoder.state["keys_1"] == cache(2, 8)
    assert names == inputs
    width = 32 if mixer == "convolution" else 16
    assert decoder.state["inputs_1"] == StateSpec((1, None, width))


def test_head_width():
    stack = StackConfig(1, attention=AttentionConfig(3, head_dim=5))
    decoder = LayeredDecoder(make_transformer(encoder=stack, decoder=stack))
    assert decoder.state["keys_0"] == cache(3, 5)
    assert decoder.state["memory_values_0"] == memory(3, 5)


def test_layers_that_declare_nothing_are_refused(monkeypatch):
    monkeypatch.delattr(MultiHeadAttention, "state_spec")
    with pytest.raises(InputError, match=r"declare the state .*decoder_layer_0"):
        LayeredDecoder(plain_transformer())
