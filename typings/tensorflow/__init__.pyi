# TensorFlow publishes no types, and its lazy modules (`from tensorflow import keras`) cannot be
# followed; the type checker's own partial stubs describe neither Keras 3 nor ragged shapes.
from typing import Any

def __getattr__(name: str) -> Any: ...
