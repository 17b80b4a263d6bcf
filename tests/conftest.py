"""What all tests share: the same seeds and examples in each run, and no time limit for single ones.

With TFCOMPRESS_EXPLORE=1, property tests choose other examples in each run. TFCOMPRESS_TEST_CACHE
is a folder that keeps the native runtime for later runs with the same sources.
"""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from shared_folders import shared_folder

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


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id) -> Path:
    """The folder of a native runtime built of these sources, in a cache of its own."""
    # Not before, as they import TensorFlow.
    from tfcompress.export import build_native
    from tfcompress.runtime.native_files import native_library

    if shutil.which("cmake") is None or not any(map(shutil.which, ("c++", "g++", "clang++"))):
        pytest.skip("the native runtime needs CMake and a C++ compiler, which are not installed")
    with (
        shared_folder(tmp_path_factory, worker_id, "native") as cache,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XDG_CACHE_HOME", os.environ.get("TFCOMPRESS_TEST_CACHE", str(cache)))
        patch.delenv("TFCOMPRESS_NATIVE", raising=False)
        return native_library().parent if native_library() is not None else build_native()
