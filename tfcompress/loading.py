"""Saved Keras models with layers of this library."""

import contextlib
import json
import os
import zipfile

import h5py
from tensorflow import keras

from tfcompress.errors import InputError


def load_model(path: str | os.PathLike, **options) -> keras.Model:
    """Loads a saved Keras model that may be quantization-aware, pruned or clustered.

    Models with layers of this library that tf-model-optimization has not wrapped load with
    `keras.models.load_model` as well, once `tfcompress` is imported.

    Args:
        path: A `.keras` or `.h5` file, saved by the Keras that runs.
        **options: Keyword arguments of `keras.models.load_model`.

    Returns:
        The model.

    Raises:
        InputError: If the other Keras saved the file, or a `.h5` file has a model clustered with
            `preserve_sparsity`.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), tfc.layers.FeedForward(8)])
    >>> model.save("feed_forward.keras")
    >>> again = tfc.load_model("feed_forward.keras")
    """
    _check_flavour(path)
    with contextlib.ExitStack() as stack:
        if not hasattr(keras, "ops"):
            import tensorflow_model_optimization as tfmot

            # Registers what these models are made of.
            from tfcompress.optimization import (  # noqa: F401
                cluster_slots,
                pruned_layer,
                quantized_layer,
                weight_quantize_config,
            )

            stack.enter_context(tfmot.quantization.keras.quantize_scope())
            stack.enter_context(tfmot.sparsity.keras.prune_scope())
        model = keras.models.load_model(path, **options)
    if not zipfile.is_zipfile(path):
        for layer in model._flatten_layers():
            if getattr(layer, "preserve_sparsity", False):
                raise InputError(
                    "A .h5 file does not hold which clustered weights stay zero. Received: "
                    f"{os.fspath(path)} with {layer.name}. Save the model as .keras."
                )
    return model


def _check_flavour(path):
    runs = 3 if hasattr(keras, "ops") else 2
    version = _keras_version(path)
    if version and int(version.split(".")[0]) != runs:
        raise InputError(
            f"load_model needs a file that Keras {runs} saved, which runs. Received: "
            f"{os.fspath(path)}, saved by Keras {version}. Set TF_USE_LEGACY_KERAS={runs - 2} "
            "before TensorFlow is imported, or build the model with the same code and load what "
            "save_weights writes to a .weights.h5 file (what get_weights gives, if it holds "
            "keras.layers.MultiHeadAttention, whose weights have other names in each)."
        )


def _keras_version(path) -> str | None:
    """Returns the version that a file names; Keras itself says what is wrong with other files."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if "metadata.json" in archive.namelist():
                return json.loads(archive.read("metadata.json")).get("keras_version")
    elif os.path.isfile(path) and h5py.is_hdf5(path):
        with h5py.File(path) as file:
            return file.attrs.get("keras_version")
    return None
