"""What all tests share: the same seeds and examples in each run, and no time limit for single ones.

With TFCOMPRESS_EXPLORE=1, property tests choose other examples in each run.
"""

import os
import sys

import numpy as np
import pytest
from hypothesis import settings

pytest.register_assert_rewrite("layers.harness")

explore = os.environ.get("TFCOMPRESS_EXPLORE") == "1"
settings.register_profile("tfcompress", deadline=None, derandomize=not explore)
settings.load_profile("tfcompress")


@pytest.fixture(autouse=True)
def _same_seeds():
    np.random.seed(0)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].keras.utils.set_random_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test marked `costly`, all cases but the first are slow."""
    seen = set()
    for item in items:
        if item.get_closest_marker("costly"):
            name = item.nodeid.split("[")[0]
            if name in seen:
                item.add_marker(pytest.mark.slow)
            seen.add(name)
