"""Runs a bundle from Python with LiteRT, numpy and sentencepiece; TensorFlow is not needed.

`Translator`, `TextModel` and `KerasModel` are what most users want. `tfcompress.runtime.benchmark`
measures a bundle.
"""

from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.decoder_bundle import SpecialIds
from tfcompress.runtime.engine import Engine
from tfcompress.runtime.keras_bundle import KerasBundle
from tfcompress.runtime.keras_model import KerasModel
from tfcompress.runtime.language_model_bundle import LanguageModelBundle
from tfcompress.runtime.opening import open_bundle, open_engine
from tfcompress.runtime.pivot_translator import PivotTranslator
from tfcompress.runtime.search import Hypothesis, StepOutput, beam_search, greedy_search
from tfcompress.runtime.session import Session
from tfcompress.runtime.text_encoder_bundle import TextEncoderBundle
from tfcompress.runtime.text_generator import Score, TextGenerator
from tfcompress.runtime.text_model import Classification, Tag, TextModel
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.runtime.translator import Translator

__all__ = [
    "Bundle",
    "Classification",
    "Engine",
    "Hypothesis",
    "KerasBundle",
    "KerasModel",
    "LanguageModelBundle",
    "PivotTranslator",
    "Score",
    "Session",
    "SpecialIds",
    "StepOutput",
    "Tag",
    "TextEncoderBundle",
    "TextGenerator",
    "TextModel",
    "TranslationBundle",
    "Translator",
    "beam_search",
    "greedy_search",
    "open_bundle",
    "open_engine",
]
