"""Presets and saved models of one class."""

import os
from typing import Any, Protocol, TypeVar

from tfcompress.errors import InputError
from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.preset_folder import load_weights
from tfcompress.models.preset_table import PRESETS, preset
from tfcompress.models.text_encoder_config import TextEncoderConfig


class _Model(Protocol):
    config: Any
    model: Any

    def __init__(self, config: Any): ...


Model = TypeVar("Model", bound=_Model)


def load_preset_as(
    model_class: type[Model], config_class: type, name_or_folder: str | os.PathLike
) -> Model:
    """Does what `load_preset` does, for one class of models.

    Args:
        model_class: The class to build.
        config_class: That of its configurations.
        name_or_folder: As for `load_preset`.

    Raises:
        InputError: As `load_preset` does, and if the preset is that of another model class.
    """
    config = preset(name_or_folder)
    if not isinstance(config, config_class):
        model_classes = {
            Seq2SeqConfig: "Seq2SeqTransformer",
            TextEncoderConfig: "TextEncoder",
            LanguageModelConfig: "LanguageModel",
        }
        name = model_classes[type(config)]
        raise InputError(
            f"{model_class.__name__} needs a preset of its own. Received: "
            f"{os.fspath(name_or_folder)!r}, of {name}. Call {name}.from_preset, or load_preset."
        )
    model = model_class(config)
    if name_or_folder not in PRESETS:
        load_weights(model, name_or_folder)
    return model
