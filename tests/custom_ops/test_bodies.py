"""What layers emit as custom operations computes what the layers compute."""

import numpy as np
import pytest
import tensorflow as tf

import tfcompress as tfc
from tfcompress.custom_ops import emission, names
from tfcompress.custom_ops.names import chosen
from tfcompress.errors import InputError
from tfcompress.layers.common import fixed_patterns as patterns
from tfcompress.layers.common.device_operations import device_operations

RNG = np.random.default_rng(0)


@pytest.fixture
def emitted(monkeypatch):
    """The names of the operations that layers emit."""
    seen = []
    implements = emission.implements
    monkeypatch.setattr(emission, "implements", lambda name: seen.append(name) or implements(name))
    return seen


def random_tensor(*shape):
    return tf.constant(RNG.standard_normal(shape).astype(np.float32))


def shake(layer):
    """Moves all weights away from what they start as, biases from zero among them."""
    for weight in layer.weights:
        weight.assign(weight + 0.3 * RNG.standard_normal(weight.shape))


def check_call(layer, x, name, emitted):
    layer(x)
    shake(layer)
    expected = layer(x)
    with device_operations(layer, [name]):
        actual = layer(x)
    assert emitted == [name]
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, atol=2e-5)


@pytest.mark.parametrize("activation", [None, "relu", "gelu", "swish", "tanh", "sigmoid"])
@pytest.mark.parametrize(
    ("groups", "normalize", "shuffle"), [(1, True, False), (4, True, True), (2, False, True)]
)
def test_group_linear(groups, normalize, shuffle, activation, emitted):
    layer = tfc.layers.GroupLinear(
        24, num_groups=groups, shuffle=shuffle, normalize=normalize, activation=activation
    )
    check_call(layer, random_tensor(2, 5, 16), names.GROUP_TRANSFORM, emitted)


def test_an_activation_that_kernels_do_not_know_is_not_emitted(emitted):
    layer = tfc.layers.GroupLinear(8, num_groups=2, activation=tf.math.square)
    x = random_tensor(3, 8)
    expected = layer(x)
    with device_operations(layer, [names.GROUP_TRANSFORM]):
        np.testing.assert_array_equal(layer(x), expected)
    assert not emitted


@pytest.mark.parametrize("shuffle", [False, True])
def test_group_chains(shuffle, emitted):
    chain = tfc.layers.HierarchicalGroupTransform(
        (24, 36, 12), num_groups=(2, 6, 3), shuffle=shuffle
    )
    check_call(chain, random_tensor(2, 5, 12), names.GROUP_TRANSFORM, emitted)
    emitted.clear()
    block = tfc.layers.DExTraBlock(8, num_layers=4, shuffle=shuffle)
    check_call(block, random_tensor(2, 5, 16), names.GROUP_TRANSFORM, emitted)


@pytest.mark.parametrize("edges", ["zero", "self"])
def test_fixed_patterns(edges, emitted):
    layer = tfc.layers.FixedPatternAttention(patterns.PATTERNS, edges=edges, head_dim=4)
    check_call(layer, random_tensor(2, 9, 16), names.FIXED_PATTERNS, emitted)


@pytest.mark.parametrize(
    "options", [{}, {"gated": False}, {"project": False}, {"weight_softmax": False}]
)
@pytest.mark.parametrize("layer_type", ["Dynamic", "Lightweight"])
def test_convolutions(layer_type, options, emitted):
    make = getattr(tfc.layers, f"{layer_type}Conv")
    name = names.DYNAMIC_CONV if layer_type == "Dynamic" else names.LIGHTWEIGHT_CONV
    check_call(make(kernel_size=4, num_heads=2, **options), random_tensor(2, 6, 8), name, emitted)
    emitted.clear()
    layer = make(kernel_size=3, num_heads=2, causal=True, **options)
    check_steps(layer, name + "Step", emitted)


def check_steps(layer, name, emitted, **memory):
    """Steps emitted and not, from one cache."""
    x = random_tensor(2, 5, 8)
    layer(x, **memory)
    shake(layer)
    cache = layer.init_cache(2, 5, **memory)
    other = dict(cache)
    for position in range(5):
        row = x[:, position]
        expected, cache = layer.step(row, tf.constant([position]), cache)
        emitted.clear()
        with device_operations(layer, [name]):
            actual, other = layer.step(row, tf.constant([position]), other)
        assert emitted == [name]
        np.testing.assert_allclose(actual, expected, atol=2e-5)
    for key, value in cache.items():
        assert other[key].shape == value.shape
        np.testing.assert_allclose(other[key], value, atol=2e-5)


def test_cached_attention(emitted):
    layer = tfc.layers.MultiHeadAttention(2, causal=True)
    check_steps(layer, names.CACHED_ATTENTION, emitted)


def test_memory_attention(emitted):
    layer = tfc.layers.MultiHeadAttention(2, head_dim=3)
    memory, x = random_tensor(1, 4, 8), random_tensor(3, 8)
    layer(random_tensor(1, 2, 8), memory=memory)
    shake(layer)
    cache = layer.init_cache(memory=memory)
    expected, _ = layer.step(x, 0, cache)
    with device_operations(layer, [names.MEMORY_ATTENTION]):
        actual, _ = layer.step(x, 0, cache)
    assert emitted == [names.MEMORY_ATTENTION]
    np.testing.assert_allclose(actual, expected, atol=2e-5)


@pytest.mark.parametrize("normalize_first", [False, True])
def test_encoder_layer(normalize_first, emitted):
    layer = tfc.layers.TransformerEncoderLayer(
        tfc.layers.MultiHeadAttention(2, head_dim=5),
        feed_forward=tfc.layers.FeedForward(12, activation="swish"),
        normalize_first=normalize_first,
    )
    check_call(layer, random_tensor(1, 7, 8), names.ENCODER_LAYER, emitted)


def test_padding_is_not_emitted(emitted):
    layer = tfc.layers.TransformerEncoderLayer(
        tfc.layers.FixedPatternAttention(patterns.PATTERNS[:2]),
        feed_forward=tfc.layers.FeedForward(12),
    )
    x, mask = random_tensor(1, 3, 8), tf.constant([[1, 1, 0]])
    expected = layer(x, padding_mask=mask)
    with device_operations(layer, names.ALL):
        np.testing.assert_array_equal(layer(x, padding_mask=mask), expected)
    assert not emitted


def test_top_logits():
    from tfcompress.custom_ops.top_logits import top_logits

    x, table, bias = random_tensor(2, 4), random_tensor(7, 4), random_tensor(7)
    logits = (x @ tf.transpose(table) + bias).numpy()
    special = {"pad_id": 0, "bos_id": 1, "eos_id": 2}
    lists = np.array([[2, 4, 5, 0, 0, 0, 0], [1, 2, 3, 6, 0, 0, 0]], np.int32)
    everything, first, second = np.arange(7), lists[0, :3], lists[1, :4]
    cases = [(lists[:1], [0], [everything, everything]), (lists[:1], [3], [first, first])]
    cases += [(lists, [3, 4], [first, second]), (lists, [0, 4], [everything, second])]
    for shortlist, sizes, candidates in cases:
        width = tf.zeros([4], tf.int32)
        values, ids, total, eos = top_logits(
            x, table, bias, shortlist, tf.constant(sizes), width, **special
        )
        for row, own in enumerate(candidates):
            best = sorted((i for i in own if i not in (0, 1)), key=lambda i: -logits[row, i])[:4]
            assert ids[row].numpy().tolist() == best + [-1] * (4 - len(best))
            np.testing.assert_allclose(values[row][: len(best)], logits[row, best], 1e-5, 1e-6)
            expected = np.log(np.exp(logits[row, own]).sum())
            np.testing.assert_allclose(total[row, 0], expected, rtol=1e-5)
            np.testing.assert_allclose(eos[row, 0], logits[row, 2], rtol=1e-5, atol=1e-6)


def test_chosen():
    assert chosen(False) == frozenset()
    assert chosen(True) == frozenset(names.DEFAULT)
    assert chosen([names.TOP_LOGITS]) == {names.TOP_LOGITS}
    for wrong in ("tfc.TopLogits", ["tfc.Nothing"]):
        with pytest.raises(InputError, match="must be True, False or a list of tfc"):
            chosen(wrong)
