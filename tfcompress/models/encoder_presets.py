"""The architectures of published text encoders."""

from tfcompress.models.config_parts import FeedForwardConfig, StackConfig
from tfcompress.models.head_config import HeadConfig
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.text_encoder_config import TextEncoderConfig


def encoder_presets() -> dict[str, tuple[str, TextEncoderConfig]]:
    """Returns description and configuration by name.

    Example:

    >>> encoder_presets()["bert_base"][1].encoder.num_layers
    12
    """
    return {
        "bert_base": (
            "BERT-base, uncased, of Devlin et al. (2019): a text encoder",
            TextEncoderConfig(30522),
        ),
        "distil_bert_base": (
            "DistilBERT-base, uncased, of Sanh et al. (2019): a text encoder",
            TextEncoderConfig(30522, encoder=_stack(6, 12, 3072), token_types=0, pooler=False),
        ),
        "roberta_base": (
            "RoBERTa-base of Liu et al. (2019): a text encoder",
            TextEncoderConfig(50265, token_types=0, pooler=False, epsilon=1e-5, pad_id=1),
        ),
        "minilm_l6": (
            "all-MiniLM-L6-v2, of Wang et al. (2020) and later work: vectors of sentences",
            TextEncoderConfig(
                30522,
                hidden_dim=384,
                encoder=_stack(6, 12, 1536),
                head=HeadConfig("embedding", pooling="mean", normalize=True),
            ),
        ),
    }


def _stack(num_layers, num_heads, intermediate_dim):
    return StackConfig(
        num_layers,
        attention=AttentionConfig(num_heads, dropout=0.1),
        feed_forward=FeedForwardConfig(intermediate_dim, activation="gelu"),
    )
