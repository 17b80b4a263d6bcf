"""Models assembled from layers, and their configuration.

Models load when they are first used: configurations and presets need no TensorFlow.
"""

import importlib

from tfcompress.models.config import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.presets import (
    PRESETS,
    Preset,
    list_presets,
    load_preset,
    preset,
    save_preset,
)

_MODULES = {"Seq2SeqTransformer": "seq2seq"}

__all__ = [
    "PRESETS",
    "AttentionConfig",
    "EmbeddingConfig",
    "FeedForwardConfig",
    "Preset",
    "Seq2SeqConfig",
    "Seq2SeqTransformer",
    "SharingConfig",
    "StackConfig",
    "list_presets",
    "load_preset",
    "preset",
    "save_preset",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
