"""Runs a bundle from Python with LiteRT, numpy and sentencepiece; TensorFlow is not needed.

`Translator`, `TextModel` and `KerasModel` are what most users want. `tfcompress.runtime.benchmark`
measures a bundle.
"""

from tfcompress.runtime.bundle import Bundle, SpecialIds, open_bundle
from tfcompress.runtime.encoder_bundle import EncoderBundle, open_encoder_bundle
from tfcompress.runtime.encoder_engine import open_encoder_engine
from tfcompress.runtime.engine import open_engine
from tfcompress.runtime.keras_bundle import KerasBundle, open_keras_bundle
from tfcompress.runtime.keras_model import KerasModel
from tfcompress.runtime.search import Hypothesis, StepOutput, beam_search, greedy_search
from tfcompress.runtime.session import Session
from tfcompress.runtime.text_model import Classification, Tag, TextModel
from tfcompress.runtime.translator import Translator

__all__ = [
    "Bundle",
    "Classification",
    "EncoderBundle",
    "Hypothesis",
    "KerasBundle",
    "KerasModel",
    "Session",
    "SpecialIds",
    "StepOutput",
    "Tag",
    "TextModel",
    "Translator",
    "beam_search",
    "greedy_search",
    "open_bundle",
    "open_encoder_bundle",
    "open_encoder_engine",
    "open_engine",
    "open_keras_bundle",
]
