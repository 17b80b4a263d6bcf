import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.convolution_reference import (
    LENGTHS,
    OPTIONS,
    WIDTH,
    convolved,
    parameters,
    positions_that_differ,
)
from layers.harness import (
    assert_close,
    lengths_mask,
    normal,
    randomize,
    run_export_test,
    run_layer_test,
    run_step_test,
)

from tfcompress.layers import Dense, DynamicConv

MASK = lengths_mask([3, 5], 5)
ADDITIVE = np.where(MASK, 0, -3e4).astype("float32")[:, np.newaxis, np.newaxis]


def built(**options):
    layer = DynamicConv(**{"kernel_size": 3, "num_heads": 2, **options})
    layer.build((None, None, WIDTH))
    randomize(layer, scale=0.5)
    return layer


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs", "expected"),
    [
        ({"weight_dropout": 0.3}, {"padding_mask": MASK}, parameters(8, 6 * 8, gated=True)),
        (
            {"gated": False, "causal": True, "use_bias": False, "weight_softmax": False},
            {"padding_mask": ADDITIVE},
            parameters(8, 6 * 8, bias=False),
        ),
        ({"project": False}, {}, 6 * 8),
    ],
    ids=["default", "not_gated", "bare"],
)
def test_contract(options, call_kwargs, expected):
    run_layer_test(
        lambda: DynamicConv(3, num_heads=2, **options),
        normal(2, 5, 8),
        call_kwargs=call_kwargs,
        output_shape=(2, 5, 8),
        parameters=expected,
        random_in_training="weight_dropout" in options,
    )


@settings(max_examples=30)
@given(OPTIONS, LENGTHS, st.booleans())
def test_recomputed(options, lengths, masked):
    layer = built(**options)
    x = normal(len(lengths), max(lengths), WIDTH)
    mask = lengths_mask(lengths, max(lengths)) if masked else None
    assert_close(layer(x, padding_mask=mask), convolved(layer, x, mask), 5e-5)


@pytest.mark.parametrize(("kernel_size", "causal"), [(1, False), (2, True), (3, False), (9, True)])
def test_gradients(kernel_size, causal):
    """Against differences: through the inputs run those of taps and kernels both."""
    layer = DynamicConv(kernel_size, num_heads=2, causal=causal, project=False, dtype="float64")
    x, direction = normal(2, 3, 4).astype("float64"), normal(2, 3, 4, seed=1).astype("float64")
    layer(x)

    @tf.function(input_signature=[tf.TensorSpec([None, None, 4], tf.float64)])
    def run(x):
        return tf.reduce_sum(layer(x) * direction)

    computed, differences = tf.test.compute_gradient(run, [tf.constant(x)])
    assert_close(computed[0], differences[0], 1e-6)


def test_equal_taps_give_the_mean():
    layer = DynamicConv(3, num_heads=2, project=False)
    x = normal(1, 7, 8)
    layer(x)
    layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    mean = (x[:, :-2] + x[:, 1:-1] + x[:, 2:]) / 3
    assert_close(layer(x)[:, 1:-1], mean)


@pytest.mark.parametrize("causal", [False, True])
def test_one_tap_is_the_identity(causal):
    x = normal(2, 5, 8)
    # The softmax of one value is rounded on some processors.
    assert_close(built(kernel_size=1, causal=causal, project=False)(x), x, 1e-6)


@pytest.mark.parametrize("kernel_size", [1, 4, 9])
@pytest.mark.parametrize("shift", [1, 3])
def test_shifted_input_shifts_the_output(kernel_size, shift):
    layer = built(kernel_size=kernel_size, causal=True, project=False)
    x = normal(2, 6, 8)
    shifted = np.pad(x, [(0, 0), (shift, 0), (0, 0)])[:, :6]
    expected = np.pad(layer(x), [(0, 0), (shift, 0), (0, 0)])[:, :6]
    assert_close(layer(shifted), expected, 1e-6)


@pytest.mark.parametrize("kernel_size", [1, 2, 5, 31])
def test_causal_kernel_sees_nothing_later(kernel_size):
    layer = built(kernel_size=kernel_size, causal=True)
    x = normal(1, 6, 8)
    changed = np.concatenate([x[:, :3], normal(1, 3, 8, seed=1)], axis=1)
    assert_close(layer(changed)[:, :3], layer(x)[:, :3], 1e-6)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 7])
def test_which_tokens_padding_reaches(kernel_size, gated):
    x, lengths = normal(3, 7, 8), [2, 5, 7]
    later = kernel_size - 1 - kernel_size // 2
    reached = [[t for t in range(n) if t + later >= n and n < 7] for n in lengths]
    layer = built(kernel_size=kernel_size, gated=gated, mask_after_linear=False)
    assert positions_that_differ(layer, x, lengths) == reached
    after = built(kernel_size=kernel_size, gated=gated)
    assert positions_that_differ(after, x, lengths) == [[], [], []]


def test_taps_are_dropped_at_every_position_anew():
    layer = DynamicConv(2, num_heads=2, causal=True, weight_dropout=0.4, project=False)
    x = np.ones((20, 50, 4), "float32")
    x[:, 1::2] = 0  # each position sees one tap
    plain, dropped = np.asarray(layer(x)), np.asarray(layer(x, training=True))
    kept = dropped != 0
    assert_close(dropped[kept], plain[kept] / 0.6, 1e-6)
    assert 0.55 < kept.mean() < 0.65
    assert np.array_equal(kept[..., 0], kept[..., 1])
    for axis in range(2):
        assert not np.array_equal(kept.take(0, axis), kept.take(1, axis))


def test_first_kernel_of_weight_linear():
    layer = DynamicConv(31, num_heads=4, project=False)
    layer.build((None, None, 64))
    assert 0.95 / 8 < np.abs(layer.get_weights()[0]).max() <= 1 / 8


@pytest.mark.parametrize(
    ("batch", "length", "room", "options"),
    [
        (2, 5, 5, {}),
        (1, 4, 6, {"kernel_size": 31, "gated": False}),
        (3, 3, 4, {"kernel_size": 1, "project": False}),
        (2, 4, 4, {"kernel_size": 6, "weight_softmax": False, "use_bias": False}),
    ],
)
def test_step(batch, length, room, options):
    run_step_test(
        built(causal=True, **options),
        normal(batch, length, 8),
        cache_kwargs={"batch_size": batch, "max_length": room},
    )


def test_step_reads_no_row_that_is_not_written():
    layer, x = built(kernel_size=4, causal=True), normal(2, 3, 8)
    cache = {"inputs": layer.init_cache(2, 6)["inputs"] * np.nan}
    for position in range(3):
        y, cache = layer.step(x[:, position], position, cache)
        assert_close(y, layer(x)[:, position])


def test_step_in_half_precision():
    layer = DynamicConv(3, num_heads=2, causal=True, dtype="mixed_float16")
    x = normal(2, 4, 8)
    whole, cache = layer(x), layer.init_cache(2, 4)
    for position in range(4):
        y, cache = layer.step(x[:, position], position, cache)
        assert y.dtype == cache["inputs"].dtype == tf.float16
        assert_close(y, whole[:, position], 5e-3)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs"),
    [
        ({"kernel_size": 4}, {"padding_mask": MASK}),
        ({"causal": True, "gated": False, "mask_after_linear": False}, {"padding_mask": ADDITIVE}),
        ({"kernel_size": 15, "project": False}, {}),
    ],
    ids=["default", "not_gated", "bare"],
)
def test_export(options, call_kwargs):
    run_export_test(built(**options), normal(2, 5, 8), call_kwargs=call_kwargs)


def test_matrices_are_dense_layers():
    layer = built()
    parts = (layer.linear1, layer.linear2, layer.weight_linear)
    assert all(isinstance(part, Dense) for part in parts)


@pytest.mark.parametrize(
    ("action", "fragments"),
    [
        (
            lambda: DynamicConv(0, num_heads=2),
            ["`kernel_size` must be at least 1", "kernel_size=0"],
        ),
        (lambda: DynamicConv(3, num_heads=-1), ["`num_heads` must be at least 1", "num_heads=-1"]),
        (
            lambda: DynamicConv(3, num_heads=2, weight_dropout=-0.1),
            ["in [0, 1)", "weight_dropout=-0.1"],
        ),
        (lambda: built(num_heads=3), ["divisible", "width=8, num_heads=3", "Pass a divisor"]),
        (
            lambda: DynamicConv(3, num_heads=2).init_cache(1, 1),
            ["no weights yet", "Call the layer"],
        ),
        (lambda: built().init_cache(1, 1), ["causal=False", "Pass causal=True"]),
    ],
)
def test_wrong_arguments(action, fragments):
    with pytest.raises(ValueError) as caught:
        action()
    assert all(fragment in str(caught.value) for fragment in ["Received: ", *fragments])
