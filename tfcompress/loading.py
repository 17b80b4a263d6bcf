"""Saved Keras models with layers of this library."""

import os

from tensorflow import keras


def load_model(path: str | os.PathLike, **options) -> keras.Model:
    return keras.models.load_model(path, **options)
