"""Models assembled from layers, and their configuration.

Models load when they are first used: configurations and presets need no TensorFlow.
"""

import importlib

from tfcompress.models.config import (
    EmbeddingConfig,
    FeedForwardConfig,
    LayerDropConfig,
    Seq2SeqConfig,
    SharingConfig,
    StackConfig,
    TransformConfig,
)
from tfcompress.models.head_config import HeadConfig
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.mixers import (
    MIXERS,
    AttentionConfig,
    AveragedAttentionConfig,
    ConvolutionConfig,
    ConvolutionMixerConfig,
    DeLighTConfig,
    FixedPatternConfig,
    LSRAConfig,
    MixerConfig,
    ScalingConfig,
    Site,
    SSRUConfig,
    register_mixer,
)
from tfcompress.models.presets import (
    PRESETS,
    Preset,
    list_presets,
    load_preset,
    preset,
    save_preset,
)
from tfcompress.models.text_encoder_config import TextEncoderConfig

_MODULES = {
    "TranslationModel": "published_translators",
    "from_m2m100": "m2m100",
    "from_marian": "marian",
    "LanguageModel": "language_model",
    "Seq2SeqTransformer": "seq2seq",
    "TextEncoder": "text_encoder",
    "BergamotModel": "marian_files.reading",
    "from_bergamot": "marian_files.reading",
    "from_marian_npz": "marian_files.reading",
    "from_keras_nlp": "keras_nlp_models",
    "from_safetensors": "published_weights",
    "minilm_folder": "published_weights",
    "to_keras_nlp": "keras_nlp_models",
}

__all__ = [
    "MIXERS",
    "PRESETS",
    "AttentionConfig",
    "AveragedAttentionConfig",
    "BergamotModel",
    "ConvolutionConfig",
    "ConvolutionMixerConfig",
    "DeLighTConfig",
    "EmbeddingConfig",
    "FeedForwardConfig",
    "FixedPatternConfig",
    "HeadConfig",
    "LSRAConfig",
    "LanguageModel",
    "LanguageModelConfig",
    "LayerDropConfig",
    "MixerConfig",
    "Preset",
    "SSRUConfig",
    "ScalingConfig",
    "Seq2SeqConfig",
    "Seq2SeqTransformer",
    "SharingConfig",
    "Site",
    "StackConfig",
    "TextEncoder",
    "TextEncoderConfig",
    "TransformConfig",
    "TranslationModel",
    "from_bergamot",
    "from_keras_nlp",
    "from_m2m100",
    "from_marian",
    "from_marian_npz",
    "from_safetensors",
    "list_presets",
    "load_preset",
    "minilm_folder",
    "preset",
    "register_mixer",
    "save_preset",
    "to_keras_nlp",
]


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
