import numpy as np
import pytest
import tensorflow as tf
from layers.harness import assert_close, lengths_mask, normal, run_layer_test

from tfcompress.layers import MultiHeadAttention, PaddingMask
from tfcompress.layers.common.masks import MASKED, causal_mask, step_mask, token_mask

IDS = np.array([[5, 7, 9, 0, 0], [4, 0, 3, 1, 2]], "int32")


def test_contract():
    run_layer_test(PaddingMask, IDS, output_shape=(2, 1, 1, 5), parameters=0)


@pytest.mark.parametrize("pad_id", [0, 2, 9])
def test_zero_at_tokens_and_masked_at_padding(pad_id):
    mask = PaddingMask(pad_id)(IDS)
    assert_close(mask[:, 0, 0], np.where(pad_id == IDS, -3e4, 0.0), 0)


def test_two_masks_together_fit_into_half_precision():
    assert np.isfinite(np.float16(2 * MASKED))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_all_forms_of_a_mask_mean_the_same(dtype):
    layer = MultiHeadAttention(2, dtype=dtype)
    x = normal(2, 5, 8)
    expected = layer(x, padding_mask=PaddingMask(0)(IDS))
    boolean = IDS != 0
    for mask in (boolean, boolean.astype("int32"), IDS, tf.constant(boolean)):
        assert_close(layer(x, padding_mask=mask), expected, 0)
    assert not np.allclose(layer(x), expected, atol=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("causal", [False, True])
def test_a_row_of_padding_only_stays_finite(dtype, causal):
    layer = MultiHeadAttention(2, causal=causal, dtype=dtype)
    y = layer(10 * normal(2, 5, 8), padding_mask=lengths_mask([0, 5], 5))
    assert np.all(np.isfinite(y))


@pytest.mark.parametrize("length", [1, 2, 5])
def test_step_masks_are_the_rows_of_the_causal_mask(length):
    causal = causal_mask(length, tf.float32)
    assert_close(causal[0, 0], np.triu(np.full((length, length), -3e4), 1), 0)
    for position in range(length):
        assert_close(step_mask(position, length)[0, 0, 0], causal[0, 0, position], 0)


def test_token_mask_from_every_form():
    expected = (IDS != 0)[:, :, np.newaxis]
    for mask in (IDS != 0, IDS, PaddingMask(0)(IDS)):
        assert_close(token_mask(mask, tf.float32), expected, 0)
