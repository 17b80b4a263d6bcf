"""The class of models that a configuration describes."""

from typing import Any

from tfcompress.models.config import Seq2SeqConfig
from tfcompress.models.language_model import LanguageModel
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.seq2seq import Seq2SeqTransformer
from tfcompress.models.text_encoder import TextEncoder
from tfcompress.models.text_encoder_config import TextEncoderConfig

_CLASSES = {
    Seq2SeqConfig: Seq2SeqTransformer,
    TextEncoderConfig: TextEncoder,
    LanguageModelConfig: LanguageModel,
}


def model_class(config: Seq2SeqConfig | TextEncoderConfig | LanguageModelConfig) -> Any:
    """Returns the class that is built from a configuration.

    Args:
        config: The configuration.
    """
    return _CLASSES[type(config)]
