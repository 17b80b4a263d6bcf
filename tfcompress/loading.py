"""Saved Keras models with layers of this library."""

import contextlib
import os

from tensorflow import keras


def load_model(path: str | os.PathLike, **options) -> keras.Model:
    """Loads a saved Keras model that may be quantization-aware or pruned.

    Models with layers of this library that tf-model-optimization has not wrapped load with
    `keras.models.load_model` as well, once `tfcompress` is imported.

    Args:
        path: A `.keras` or `.h5` file, saved by the Keras that runs.
        **options: Keyword arguments of `keras.models.load_model`.

    Returns:
        The model.

    Example:

    >>> model = tfc.load_model("quantized.keras")
    """
    with contextlib.ExitStack() as stack:
        if not hasattr(keras, "ops"):
            import tensorflow_model_optimization as tfmot

            # Registers what these models are made of.
            from tfcompress.optimization import (  # noqa: F401
                pruned_layer,
                quantized_layer,
                weight_quantize_config,
            )

            stack.enter_context(tfmot.quantization.keras.quantize_scope())
            stack.enter_context(tfmot.sparsity.keras.prune_scope())
        return keras.models.load_model(path, **options)
