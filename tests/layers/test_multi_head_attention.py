import numpy as np
import pytest
import tensorflow as tf
from layers.harness import (
    assert_close,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)

from tfcompress.layers import MultiHeadAttention

MASK = lengths_mask([3, 5], 5)
ADDITIVE = np.where(MASK, 0, -3e4).astype("float32")[:, np.newaxis, np.newaxis]


def parameters(width, heads, head_dim, memory=None, bias=True, output=None, gated=False):
    """The closed formula of the docstring."""
    inner, output = heads * head_dim, output or width
    count = width * inner + 2 * (memory or width) * inner + inner * output
    return count + (3 * inner + output if bias else 0) + (heads if gated else 0)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs", "expected"),
    [
        ({"num_heads": 2, "dropout": 0.2}, {"padding_mask": MASK}, parameters(8, 2, 4)),
        (
            {"num_heads": 3, "head_dim": 5, "causal": True, "use_bias": False},
            {"padding_mask": ADDITIVE},
            parameters(8, 3, 5, bias=False),
        ),
        (
            {"num_heads": 1, "memory_dim": 6},
            {"memory": normal(2, 7, 6), "padding_mask": lengths_mask([7, 2], 7)},
            parameters(8, 1, 8, memory=6),
        ),
        (
            {"num_heads": 2, "output_dim": 6, "gated": True},
            {},
            parameters(8, 2, 4, output=6, gated=True),
        ),
    ],
    ids=["self", "causal", "cross", "gated"],
)
def test_contract(options, call_kwargs, expected):
    run_layer_test(
        lambda: MultiHeadAttention(**options),
        normal(2, 5, 8),
        call_kwargs=call_kwargs,
        output_shape=(2, 5, options.get("output_dim", 8)),
        parameters=expected,
        zero_gradients=1 if options.get("use_bias", True) else 0,  # the keys' bias
        random_in_training="dropout" in options,
    )


def attention(weights, heads, x, memory=None, mask=None, causal=False):
    """The same in numpy, one head of one sequence at a time, hidden keys left out."""
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    memory = x if memory is None else memory
    output = np.zeros_like(x)
    for b in range(len(x)):
        queries, keys, values = x[b] @ wq + bq, memory[b] @ wk + bk, memory[b] @ wv + bv
        context = np.zeros_like(queries)
        size = queries.shape[1] // heads
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            for i in range(len(queries)):
                seen = np.ones(len(keys), bool) if mask is None else mask[b].copy()
                if causal:
                    seen[i + 1 :] = False
                scores = keys[seen, part] @ queries[i, part] / np.sqrt(size)
                p = np.exp(scores - scores.max())
                context[i, part] = p / p.sum() @ values[seen, part]
        output[b] = context @ wo + bo
    return output


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("head_dim", [None, 3])
@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("mode", ["self", "causal", "cross"])
def test_recomputed(mode, heads, head_dim, length):
    layer = MultiHeadAttention(
        heads, head_dim=head_dim, causal=mode == "causal", memory_dim=6 if mode == "cross" else None
    )
    x = normal(2, length, 8)
    keys = 7 if mode == "cross" else length
    mask = lengths_mask([keys, max(1, keys - 2)], keys)
    memory = normal(2, 7, 6, seed=1) if mode == "cross" else None
    layer(x, memory=memory, padding_mask=mask)
    randomize(layer)
    for given_mask in (None, mask):
        y = layer(x, memory=memory, padding_mask=given_mask)
        expected = attention(layer.get_weights(), heads, x, memory, given_mask, mode == "causal")
        assert_close(y, expected, 2e-5)


def built(shape=(2, 5, 8), memory=None, **options):
    """A layer with weights that are all different from their first values."""
    layer = MultiHeadAttention(**options)
    layer(normal(*shape), memory=memory)
    randomize(layer)
    return layer


def test_one_key_needs_no_scores():
    layer = built(num_heads=2)
    wq, bq, wk, bk, wv, bv, wo, bo = layer.get_weights()
    x, memory = normal(2, 5, 8), normal(2, 1, 8, seed=1)
    expected = np.repeat((memory @ wv + bv) @ wo + bo, 5, axis=1)
    assert_close(layer(x, memory=memory), expected)
    layer.set_weights([9 * wq, bq, 7 * wk, bk, wv, bv, wo, bo])
    assert_close(layer(x, memory=memory), expected)


def test_equal_scores_give_the_mean():
    layer = built(num_heads=2)
    wq, bq, wk, bk, wv, bv, wo, bo = layer.get_weights()
    layer.set_weights([0 * wq, 0 * bq, wk, bk, wv, bv, wo, bo])
    x = normal(2, 5, 8)
    mean = ((x @ wv + bv) @ wo + bo).mean(axis=1, keepdims=True)
    assert_close(layer(x), np.repeat(mean, 5, axis=1))


def test_order_of_the_memory_does_not_matter():
    layer = built(num_heads=2)
    x, memory = normal(2, 5, 8), normal(2, 6, 8, seed=1)
    assert_close(layer(x, memory=memory[:, ::-1]), layer(x, memory=memory))


def test_memory_that_is_the_input_is_self_attention():
    layer = built(num_heads=2)
    x = normal(2, 5, 8)
    assert_close(layer(x, memory=x), layer(x), 0)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("batch", "length", "room", "heads"),
    [(1, 1, 1, 2), (3, 1, 4, 1), (1, 4, 4, 1), (3, 4, 4, 2), (2, 4, 9, 2)],
)
def test_step_over_its_own_past(batch, length, room, heads):
    run_step_test(
        built(num_heads=heads, causal=True),
        normal(batch, length, 8),
        cache_kwargs={"batch_size": batch, "max_length": room},
    )


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("memory_length", [1, 6])
@pytest.mark.parametrize("batch", [1, 3])
def test_step_over_a_memory(batch, memory_length, masked):
    memory = normal(batch, memory_length, 6, seed=1)
    mask = lengths_mask([max(1, memory_length - 2 * i) for i in range(batch)], memory_length)
    kwargs = {"padding_mask": mask} if masked else {}
    run_step_test(
        built(num_heads=2, memory=normal(2, 3, 6), memory_dim=6),
        normal(batch, 2, 8),
        call_kwargs={"memory": memory, **kwargs},
        cache_kwargs={"memory": memory},
        step_kwargs=kwargs,
    )


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("rows", [1, 4])
def test_one_memory_serves_every_row(rows, masked):
    layer = built(num_heads=2)
    memory, mask = normal(1, 6, 8, seed=1), lengths_mask([4], 6) if masked else None
    repeated = None if mask is None else np.repeat(mask, rows, axis=0)
    x = normal(rows, 1, 8)
    expected = layer(x, memory=np.repeat(memory, rows, axis=0), padding_mask=repeated)[:, 0]
    cache = layer.init_cache(memory=memory)
    y, unchanged = layer.step(x[:, 0], 0, cache, padding_mask=mask)
    assert_close(y, expected)
    assert unchanged is cache

    @tf.function(
        input_signature=[tf.nest.map_structure(lambda x: tf.TensorSpec([None] * 4), cache)]
    )
    def step(cache):
        return layer.step(x[:, 0], 0, cache, padding_mask=mask)[0]

    assert_close(step(cache), expected, what="batch size of the memory unknown")


def test_step_in_half_precision():
    layer = MultiHeadAttention(2, causal=True, dtype="mixed_float16")
    x = normal(2, 4, 8)
    whole = layer(x)
    cache = layer.init_cache(2, 6)
    for position in range(4):
        y, cache = layer.step(x[:, position], position, cache)
        assert y.dtype == tf.float16
        assert_close(y, whole[:, position], 5e-3)


def test_gates_scale_heads():
    layer = MultiHeadAttention(2, gated=True)
    x = normal(2, 5, 8)
    layer(x)
    randomize(layer)
    layer.gates.assign([1.0, 1.0])
    plain = MultiHeadAttention(2)
    plain(x)
    for name in ("query", "key", "value", "output_projection"):
        getattr(plain, name).set_weights(getattr(layer, name).get_weights())
    assert_close(layer(x), plain(x), 0)
    layer.gates.assign([0.0, 1.0])
    kernel, bias = plain.output_projection.get_weights()
    kernel[:4] = 0
    plain.output_projection.set_weights([kernel, bias])
    assert_close(layer(x), plain(x), 1e-6)


def test_recording_keeps_what_heads_give():
    layer = MultiHeadAttention(2)
    x = normal(2, 5, 8)
    with layer.recording() as contexts:
        y = layer(x)
        layer(x)
    layer(x)
    assert len(contexts) == 2
    merged = tf.reshape(tf.transpose(contexts[0], [0, 2, 1, 3]), [2, 5, 8])
    assert_close(layer.output_projection(merged), y, 1e-6)


def test_recording_keeps_what_is_attended_to():
    layer = MultiHeadAttention(2, dropout=0.5)
    x, memory = normal(2, 5, 8), normal(2, 7, 8)
    layer(x, memory=memory)
    with layer.recording("probabilities") as probabilities, layer.recording() as contexts:
        layer(x, memory=memory, padding_mask=np.arange(7)[None] < [[7], [4]], training=True)
        layer.step(x[:, 0], 0, layer.init_cache(memory=memory))
    layer(x)
    whole, first = probabilities
    assert whole.shape == (2, 2, 5, 7)
    # Before dropout: what each position attends to adds up to 1.
    assert_close(tf.reduce_sum(whole, axis=-1), np.ones((2, 2, 5)), 1e-6)
    assert_close(whole[1, ..., 4:], np.zeros((2, 5, 3)), 0)
    assert_close(first[0, :, 0], whole[0, :, 0], 1e-6)
    assert len(contexts) == 2
    with pytest.raises(ValueError, match="contexts, probabilities"), layer.recording("outputs"):
        pass


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs"),
    [
        ({}, {"padding_mask": MASK}),
        ({"causal": True, "gated": True}, {}),
        ({"output_dim": 6}, {"memory": normal(2, 7, 8)}),
    ],
    ids=["self", "causal", "cross"],
)
def test_export(options, call_kwargs):
    run_export_test(MultiHeadAttention(2, **options), normal(2, 5, 8), call_kwargs=call_kwargs)
