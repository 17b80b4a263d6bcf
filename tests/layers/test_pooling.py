"""What text encoders are read through."""

import numpy as np
import pytest
from layers.harness import assert_close, lengths_mask, normal, run_layer_test

from tfcompress.layers import MeanPooling, UnitNormalization


def test_mean_contract():
    run_layer_test(MeanPooling, normal(2, 5, 8), output_shape=(2, 8), parameters=0)


def test_unit_contract():
    run_layer_test(UnitNormalization, normal(2, 8), output_shape=(2, 8), parameters=0)


@pytest.mark.parametrize("lengths", [[3, 5], [1, 1], [5, 5]])
def test_padding_does_not_count(lengths):
    x = normal(2, 5, 8)
    actual = MeanPooling()(x, padding_mask=lengths_mask(lengths, 5))
    expected = [row[:length].mean(axis=0) for row, length in zip(x, lengths)]
    assert_close(actual, np.array(expected))
    if lengths == [5, 5]:
        assert_close(MeanPooling()(x), actual)


def test_padding_alone_gives_zeros():
    assert_close(
        MeanPooling()(normal(2, 5, 8), padding_mask=lengths_mask([0, 5], 5))[0], np.zeros(8)
    )


def test_lengths_are_one():
    actual = UnitNormalization()(np.array([[3.0, 4.0], [0.0, 0.0], [-2e3, 0.0]], "f"))
    assert_close(actual, np.array([[0.6, 0.8], [0, 0], [-1, 0]]))
