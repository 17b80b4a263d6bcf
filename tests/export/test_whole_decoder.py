"""A decoder as one operation decodes as its layers do."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from export_harness import make_transformer

from tfcompress.custom_ops import emission, names
from tfcompress.decoder_state import SENTENCE
from tfcompress.export.conversion.layered_decoder import LayeredDecoder
from tfcompress.export.conversion.whole_decoder import (
    RecurrentWholeDecoder,
    WholeDecoder,
    find_decoder,
)
from tfcompress.models import (
    AttentionConfig,
    DeLighTConfig,
    FeedForwardConfig,
    LayerDropConfig,
    LSRAConfig,
    SharingConfig,
    SSRUConfig,
    StackConfig,
)

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype("f")


def decode(decoder, memory, length=4):
    """What the last layer gives at some steps, and the state after them."""
    state = decoder.encode(memory)
    own = [name for name, spec in decoder.state.items() if spec.per != SENTENCE]
    state |= {name: tf.zeros(decoder.state[name].sizes(1, length)) for name in own}
    assert state.keys() == decoder.state.keys()
    actual = []
    for position in range(length):
        mask = np.where(np.arange(length) > position, -3e4, 0.0).astype("f").reshape(1, 1, 1, -1)
        ids, at = tf.constant([5 + position]), tf.constant([position])
        lengths = [tf.constant([memory.shape[1]])] if decoder.is_ragged else []
        x, new = decoder.step(ids, at, mask, state, *lengths)
        assert [*new] == own
        state |= new
        actual.append(x)
    return np.concatenate(actual), state


STACK = StackConfig(
    3,
    attention=AttentionConfig(2, head_dim=5),
    feed_forward=FeedForwardConfig(12, activation="swish"),
)
MODELS = {
    "post_norm": {"decoder": STACK},
    "pre_norm": {"decoder": STACK, "normalize_first": True},
    "all_shared": {"sharing": "all", "depth": 3},
    "layer_drop": {
        "decoder": StackConfig(2, attention=STACK.attention, layer_drop=LayerDropConfig(0.5)),
    },
}


@pytest.mark.costly
@pytest.mark.parametrize("name", MODELS)
def test_decodes_as_its_layers(name, monkeypatch):
    transformer = make_transformer(**MODELS[name])
    for weight in transformer.model.weights:
        weight.assign(weight + 0.2 * RNG.standard_normal(weight.shape))
    seen = []
    implements = emission.implements
    monkeypatch.setattr(emission, "implements", lambda name: seen.append(name) or implements(name))
    assert WholeDecoder.is_plain(transformer)
    memory = tf.constant(RNG.standard_normal((1, 6, transformer.config.hidden_dim)).astype("f"))
    expected, caches = decode(LayeredDecoder(transformer), memory)
    assert not seen
    actual, whole = decode(WholeDecoder(transformer), memory)
    assert set(seen) == {names.DECODER}
    np.testing.assert_allclose(actual, expected, atol=2e-5 * np.abs(expected).max())
    for kind in ("keys", "values"):
        depths = [caches[f"{kind}_{i}"] for i in range(len(transformer.decoder_layers))]
        np.testing.assert_allclose(whole[f"{kind}_0"], np.concatenate(depths, 1), atol=1e-4)


@pytest.mark.costly
@pytest.mark.parametrize(
    "options",
    [
        {"sharing": "attention"},
        {"sharing": "feed_forward"},
        {"decoder": StackConfig(2, attention=LSRAConfig(2))},
        {"decoder": StackConfig(2, attention=DeLighTConfig(2))},
    ],
    ids=str,
)
def test_other_decoders_are_not_plain(options):
    assert not WholeDecoder.is_plain(make_transformer(**options))


RECURRENT = StackConfig(
    3, attention=SSRUConfig(2, head_dim=5), feed_forward=FeedForwardConfig(12, activation="swish")
)
RECURRENT_MODELS = {
    "post_norm": {"decoder": RECURRENT},
    "pre_norm_shared": {
        "decoder": dataclasses.replace(RECURRENT, sharing=SharingConfig("groups", groups=2)),
        "normalize_first": True,
    },
    "layer_drop": {"decoder": dataclasses.replace(RECURRENT, layer_drop=LayerDropConfig(0.5))},
}


@pytest.mark.costly
@pytest.mark.parametrize("name", RECURRENT_MODELS)
def test_recurrent_units_are_one_operation(name):
    transformer = make_transformer(**RECURRENT_MODELS[name])
    for weight in transformer.model.weights:
        weight.assign(weight + 0.2 * RNG.standard_normal(weight.shape))
    memory = tf.constant(RNG.standard_normal((1, 6, transformer.config.hidden_dim)).astype("f"))
    expected, states = decode(LayeredDecoder(transformer), memory)
    decoder = find_decoder(transformer, names.DEFAULT)
    assert type(decoder) is RecurrentWholeDecoder
    actual, whole = decode(decoder, memory)
    np.testing.assert_allclose(actual, expected, atol=2e-5 * np.abs(expected).max())
    cells = np.stack([states[f"cell_{i}"] for i in range(3)], axis=1)
    np.testing.assert_allclose(whole["cells_0"], cells, atol=1e-4)


@pytest.mark.parametrize("config", [MODELS["pre_norm"], RECURRENT_MODELS["post_norm"]])
def test_rows_may_be_of_several_sentences(config):
    """At positions of their own, with memories that are padded by any numbers."""
    transformer = make_transformer(**config)
    decoder = find_decoder(transformer, names.DEFAULT)
    width, rows, room = transformer.config.hidden_dim, 2, 5
    lengths, positions = [3, 6], [0, 2]
    memories = [decoder.encode(tf.constant(normal(1, length, width))) for length in lengths]
    own = [name for name, spec in decoder.state.items() if spec.per != SENTENCE]
    state = {name: normal(4, *decoder.state[name].sizes(4, room)[1:]) for name in own}
    together = dict(state)
    for name in memories[0]:
        padded = [
            np.pad(m[name], [(0, 0), (0, 0), (0, 6 - m[name].shape[2]), (0, 0)], constant_values=9)
            for m in memories
        ]
        together[name] = np.concatenate(padded)
    ids = tf.constant([5, 6, 7, 8])
    at = np.repeat(positions, rows).astype("i")
    mask = np.zeros((1, 1, 1, room), "f")
    x, new = decoder.step(ids, tf.constant(at), mask, together, tf.constant(lengths))
    for i, length in enumerate(lengths):
        these = slice(i * rows, (i + 1) * rows)
        alone = {name: value[these] for name, value in state.items()} | memories[i]
        position = tf.constant(positions[i : i + 1])
        y, own_new = decoder.step(ids[these], position, mask, alone, tf.constant([length]))
        np.testing.assert_allclose(x[these], y, atol=1e-5)
        for name in own:
            np.testing.assert_allclose(new[name][these], own_new[name], atol=1e-5)


def test_other_recurrent_decoders_stay_layers():
    mixer = SSRUConfig(2, use_projection=True)
    transformer = make_transformer(decoder=StackConfig(1, attention=mixer))
    assert type(find_decoder(transformer, names.DEFAULT)) is LayeredDecoder
    transformer = make_transformer(**RECURRENT_MODELS["post_norm"])
    assert type(find_decoder(transformer, [names.DECODER])) is LayeredDecoder
