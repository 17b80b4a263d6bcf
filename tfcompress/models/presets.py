"""Presets and saved models."""

import os
from typing import TYPE_CHECKING

from tfcompress.models.preset_building import load_preset_as
from tfcompress.models.preset_folder import save_preset
from tfcompress.models.preset_table import PRESETS, Preset, list_presets, preset

if TYPE_CHECKING:
    from tfcompress.models.language_model import LanguageModel
    from tfcompress.models.seq2seq import Seq2SeqTransformer
    from tfcompress.models.text_encoder import TextEncoder

__all__ = ["PRESETS", "Preset", "list_presets", "load_preset", "preset", "save_preset"]


def load_preset(
    name_or_folder: str | os.PathLike,
) -> "Seq2SeqTransformer | TextEncoder | LanguageModel":
    """Builds a preset with random weights, or loads a saved model with its own.

    Args:
        name_or_folder: As for `preset`.

    Raises:
        InputError: If there is neither, or the folder's files are missing, damaged, or do not
            belong together.

    Example:

    >>> transformer.save_to_preset("travel_phrases")
    >>> transformer = tfc.models.load_preset("travel_phrases")
    """
    # TensorFlow loads only once a model is built.
    from tfcompress.models.model_classes import model_class

    config = preset(name_or_folder)
    return load_preset_as(model_class(config), type(config), name_or_folder)
