import numpy as np
import pytest
from tensorflow import keras

from tfcompress.training import Cosine, InverseSquareRoot


def rates(schedule, updates):
    """The rate of update n, which Keras asks for with step n - 1."""
    return np.array([float(schedule(update - 1)) for update in updates])


def test_inverse_square_root():
    schedule = InverseSquareRoot(peak=0.01, warmup_steps=100)
    expected = [0.0001, 0.005, 0.01, 0.005, 0.01 / 10]
    np.testing.assert_allclose(rates(schedule, [1, 50, 100, 400, 10000]), expected, rtol=1e-5)


def test_cosine():
    schedule = Cosine(peak=0.01, warmup_steps=100, decay_steps=1100, final=0.002)
    expected = [0.0001, 0.01, 0.006, 0.002, 0.002]
    updates = [1, 100, 600, 1100, 5000]
    np.testing.assert_allclose(rates(schedule, updates), expected, rtol=1e-4)


def test_cosine_never_rises_after_the_warm_up():
    values = rates(Cosine(0.1, 5, 50), range(5, 60))
    assert (np.diff(values) <= 1e-9).all()
    np.testing.assert_allclose(values[-1], 0.0, atol=1e-8)


@pytest.mark.parametrize(
    "schedule", [InverseSquareRoot(0.1, 3), Cosine(0.1, 3, 9, final=0.01)], ids=["rsqrt", "cosine"]
)
def test_serializes(schedule):
    copy = keras.utils.deserialize_keras_object(keras.utils.serialize_keras_object(schedule))
    assert copy.get_config() == schedule.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InverseSquareRoot(0.0, 5), "`peak` must be positive.*peak=0.0"),
        (lambda: InverseSquareRoot(0.1, 0), "`warmup_steps` must be at least 1.*=0"),
        (lambda: Cosine(0.1, 5, 5), "`decay_steps` must be greater.*=5"),
        (lambda: Cosine(0.1, 5, 9, final=0.2), "`final` must lie in.*=0.2"),
    ],
)
def test_impossible_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
