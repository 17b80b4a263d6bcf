"""What all tests share: the same seeds for each test, and no time limit for single examples."""

import sys

import numpy as np
import pytest
from hypothesis import settings

pytest.register_assert_rewrite("layers.harness")

settings.register_profile("tfcompress", deadline=None)
settings.load_profile("tfcompress")


@pytest.fixture(autouse=True)
def _same_seeds():
    np.random.seed(0)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].keras.utils.set_random_seed(0)
