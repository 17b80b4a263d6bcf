import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from tfcompress.grids import Grid, holds_whole, quantized_elsewhere

TINY = np.finfo(np.float32).tiny


def weights(max_exponent=100, side=12):
    limit = 2.0**max_exponent
    return stn.arrays(
        np.float32,
        st.tuples(st.integers(1, side), st.integers(1, 3).map(lambda n: 4 * n)),
        elements=st.floats(-limit, limit, width=32),
    )


GRIDS = [
    Grid(8, channels=(0,)),
    Grid(8, channels=(-1,)),
    Grid(8, channels=()),
    Grid(4, channels=(0,)),
    Grid(4, channels=(0,), block_size=4, inputs=(1,)),
]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@given(values=weights(15))
def test_a_grid_is_found_again(grid, values):
    """What lies on a grid is on it bit for bit, and gives the same integers and scales."""
    integers, scales = grid.quantize(values)
    on_grid = grid.dequantize(integers, scales)
    again, same_scales = grid.quantize(on_grid)
    used = np.abs(integers.reshape(grid.blocked_shape(values.shape)[0])).max(
        axis=grid.blocked_shape(values.shape)[1], keepdims=True
    )
    np.testing.assert_array_equal(again, integers)
    np.testing.assert_array_equal(same_scales[used > 0], scales[used > 0])
    np.testing.assert_array_equal(grid.round(on_grid), on_grid)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@given(values=weights(15))
def test_products_are_exact(grid, values):
    integers, scales = grid.quantize(values)
    shape, _ = grid.blocked_shape(values.shape)
    exact = integers.reshape(shape).astype(np.float64) * scales.astype(np.float64)
    np.testing.assert_array_equal(
        grid.dequantize(integers, scales), exact.reshape(values.shape).astype(np.float32)
    )
    assert (exact == exact.astype(np.float32)).all()


@pytest.mark.parametrize("grid", GRIDS[:4], ids=str)
@given(values=weights())
def test_within_half_a_step(grid, values):
    integers, scales = grid.quantize(values)
    assert np.abs(integers).max() <= grid.levels
    error = np.abs(grid.dequantize(integers, scales).astype(np.float64) - values)
    largest = np.abs(values).max(axis=grid.blocked_shape(values.shape)[1], keepdims=True)
    vanished = largest < grid.levels * TINY * 1.01
    assert (error <= np.where(vanished, largest, 0.503 * scales.astype(np.float64))).all()


def test_rows_without_magnitude():
    integers, scales = Grid().quantize(np.array([[0, 0], [1e-42, -1e-42], [3, -6]], np.float32))
    assert integers.tolist() == [[0, 0], [0, 0], [64, -127]]
    assert scales[:2].tolist() == [[1], [1]]
    assert scales[2, 0] == pytest.approx(6 / 127, rel=1e-4)


def test_scales_of_blocks_fit_into_16_bits():
    values = np.random.default_rng(0).normal(size=(6, 64)).astype(np.float32)
    values[0, :32] = 0
    values[1] *= 1e-9
    integers, scales = Grid(4, channels=(0,), block_size=32, inputs=(1,)).quantize(values)
    assert scales.shape == (6, 2, 1)
    assert (scales.astype(np.float16).astype(np.float32) == scales).all()
    assert not (scales.view(np.uint32) & 0xFFFF).any()
    assert (scales >= 2.0**-14).all()
    assert not integers[1].any()


@given(values=weights(15))
def test_one_scale_is_recognized(values):
    on_grid = Grid(8, channels=()).round(values)
    if on_grid.any():
        assert holds_whole(on_grid) == holds_whole(on_grid.T) == Grid(8, channels=())
    else:
        assert holds_whole(on_grid) is None


def test_weights_of_no_grid():
    assert holds_whole(np.random.default_rng(0).normal(size=(9, 9)).astype(np.float32)) is None


@given(seed=st.integers(0, 2**32 - 1), largest=st.sampled_from([127, 126, 100, 65]), data=st.data())
def test_integers_of_other_libraries_are_recognized(seed, largest, data):
    """A scale of all bits, as intgemm's: the integers come back, whatever rounding did."""
    rng = np.random.default_rng(seed)
    integers = rng.integers(-largest, largest + 1, (16, 24)).astype(np.int8)
    integers[0, 0] = largest
    multiplier = np.float32(127) / np.float32(rng.uniform(1e-3, 9))
    values = data.draw(st.sampled_from([integers * (1 / multiplier), integers / multiplier]))
    grid = quantized_elsewhere(values)
    actual, scale = grid.quantize(values)
    np.testing.assert_array_equal(actual, integers)
    np.testing.assert_allclose(grid.dequantize(actual, scale), values, rtol=1e-6)
    assert quantized_elsewhere(values + rng.normal(0, 0.01, values.shape).astype("f4")) is None


@pytest.mark.parametrize("value", [0, np.inf, np.nan, 1e-40])
def test_weights_that_have_no_scale(value):
    assert quantized_elsewhere(np.full((2, 3), value, np.float32)) is None
