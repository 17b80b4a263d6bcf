"""Which Keras runs, and which tests need but one of the two."""

import pytest
from tensorflow import keras

LEGACY = not hasattr(keras, "ops")
legacy_only = pytest.mark.skipif(not LEGACY, reason="tf-model-optimization takes Keras 2 only")
one_flavour = pytest.mark.skipif(not LEGACY, reason="the same under both; runs under Keras 2")
