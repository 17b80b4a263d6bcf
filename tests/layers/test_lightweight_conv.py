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
    softmax,
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

from tfcompress.layers import Dense, LightweightConv, PaddingMask

MASK = lengths_mask([3, 5], 5)
ADDITIVE = np.where(MASK, 0, -3e4).astype("float32")[:, np.newaxis, np.newaxis]


def built(width=WIDTH, **options):
    layer = LightweightConv(**{"kernel_size": 3, "num_heads": 2, **options})
    layer.build((None, None, width))
    randomize(layer, scale=0.5)
    return layer


@pytest.mark.costly
@pytest.mark.parametrize(
    ("options", "call_kwargs", "expected"),
    [
        ({"weight_dropout": 0.3}, {"padding_mask": MASK}, parameters(8, 6, gated=True)),
        (
            {"gated": False, "causal": True, "use_bias": False, "weight_softmax": False},
            {"padding_mask": ADDITIVE},
            parameters(8, 6, bias=False),
        ),
        ({"project": False}, {}, 6),
    ],
    ids=["default", "ungated", "bare"],
)
def test_contract(options, call_kwargs, expected):
    run_layer_test(
        lambda: LightweightConv(3, num_heads=2, **options),
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
    assert_close(layer(x, padding_mask=mask), convolved(layer, x, mask), 2e-5)


def test_taps_sum_to_1_and_are_not_normalized_again_at_the_edges():
    layer = built(2, kernel_size=5, project=False)
    taps = softmax(layer.get_weights()[0])
    assert_close(taps.sum(axis=-1), np.ones(2))
    y = layer(np.ones((1, 7, 2), "float32"))[0]
    assert_close(y[2:5], np.ones((3, 2)))
    assert_close(y[0], taps[:, 2:].sum(axis=-1))
    assert_close(y[6], taps[:, :3].sum(axis=-1))


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
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 7])
def test_which_tokens_padding_reaches(kernel_size, gated):
    x, lengths = normal(3, 7, 8), [2, 5, 7]
    layer = built(kernel_size=kernel_size, gated=gated, mask_after_linear=False)
    later = kernel_size - 1 - kernel_size // 2
    reached = [[t for t in range(n) if t + later >= n and n < 7] for n in lengths]
    assert positions_that_differ(layer, x, lengths) == reached
    after = built(kernel_size=kernel_size, gated=gated)
    assert positions_that_differ(after, x, lengths) == [[], [], []]
    without_bias = built(
        kernel_size=kernel_size, gated=gated, mask_after_linear=False, use_bias=False
    )
    assert positions_that_differ(without_bias, x, lengths) == [[], [], []]


@pytest.mark.parametrize("mask_after_linear", [False, True])
def test_what_padding_holds_changes_nothing(mask_after_linear):
    layer = built(kernel_size=5, mask_after_linear=mask_after_linear)
    x = normal(2, 5, 8)
    disturbed = np.where(MASK[..., np.newaxis], x, 50 * normal(2, 5, 8, seed=1))
    expected = layer(x, padding_mask=MASK)
    assert_close(layer(disturbed, padding_mask=MASK)[MASK], expected[MASK], 0)
    for mask in (MASK.astype("int32"), ADDITIVE, PaddingMask()(MASK.astype("int32"))):
        assert_close(layer(x, padding_mask=mask), expected, 0)


def test_dropped_taps_are_the_same_at_every_position():
    layer = LightweightConv(50, num_heads=2, causal=True, weight_dropout=0.4, project=False)
    x = np.zeros((2, 100, 4), "float32")
    x[:, [0, 50]] = 1  # at each of the 50 positions from here on another tap
    plain = np.asarray(layer(x))
    dropped = np.asarray(layer(x, training=True))
    kept = dropped != 0
    assert_close(dropped[kept], plain[kept] / 0.6, 1e-6)
    assert 0.4 < kept.mean() < 0.8
    assert np.array_equal(kept[0], kept[1])
    assert np.array_equal(kept[:, :50], kept[:, 50:])
    assert np.array_equal(kept[..., 0], kept[..., 1])
    assert not np.array_equal(kept[..., 1], kept[..., 2])


def test_first_kernels_are_those_of_a_convolution():
    layer = LightweightConv(31, num_heads=64, project=False)
    layer.build((None, None, 64))
    kernel, limit = layer.get_weights()[0], np.sqrt(6 / (31 + 64 * 31))
    assert 0.95 * limit < np.abs(kernel).max() <= limit


@pytest.mark.parametrize(
    ("batch", "length", "room", "options"),
    [
        (2, 5, 5, {}),
        (1, 4, 6, {"kernel_size": 31, "gated": True}),
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
    layer = LightweightConv(3, num_heads=2, causal=True, dtype="mixed_float16")
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
        ({"kernel_size": 31, "num_heads": 64, "project": False}, {}),
    ],
    ids=["default", "ungated", "bare"],
)
def test_export(options, call_kwargs):
    width = max(8, options.get("num_heads", 2))
    run_export_test(built(width, **options), normal(2, 5, width), call_kwargs=call_kwargs)


def test_matrices_are_dense_layers():
    layer = built()
    assert all(isinstance(part, Dense) for part in (layer.linear1, layer.linear2))


@pytest.mark.parametrize(
    ("action", "fragments"),
    [
        (
            lambda: LightweightConv(0, num_heads=2),
            ["`kernel_size` must be at least 1", "kernel_size=0"],
        ),
        (
            lambda: LightweightConv(3, num_heads=0),
            ["`num_heads` must be at least 1", "num_heads=0"],
        ),
        (
            lambda: LightweightConv(3, num_heads=2, weight_dropout=1.0),
            ["in [0, 1)", "weight_dropout=1.0"],
        ),
        (lambda: built(num_heads=3), ["divisible", "width=8, num_heads=3", "Pass a divisor"]),
        (
            lambda: LightweightConv(3, num_heads=2).init_cache(1, 1),
            ["no weights yet", "Call the layer"],
        ),
        (lambda: built().init_cache(1, 1), ["causal=False", "Pass causal=True"]),
        (lambda: built()(normal(2, 5, 8), padding_mask=normal(2, 5)), ["padding mask must be"]),
    ],
)
def test_wrong_arguments(action, fragments):
    with pytest.raises(ValueError) as caught:
        action()
    assert all(fragment in str(caught.value) for fragment in ["Received: ", *fragments])
