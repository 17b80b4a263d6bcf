"""The architectures of language models, published and small."""

from tfcompress.models.config_parts import (
    EmbeddingConfig,
    FeedForwardConfig,
    LayerDropConfig,
    StackConfig,
)
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.mixers import AttentionConfig, DeLighTConfig

_WIKITEXT103 = 267744


def language_model_presets() -> dict[str, tuple[str, LanguageModelConfig]]:
    """Returns description and configuration by name.

    Example:

    >>> language_model_presets()["language_model_tiny"][1].hidden_dim
    128
    """
    return {
        "language_model_tiny": (
            "language model: 4 layers of width 128 for 8,000 tokens",
            LanguageModelConfig(8000, hidden_dim=128, decoder=_stack(4, AttentionConfig(4), 256)),
        ),
        "define_language_model_tiny": (
            "language_model_tiny with a DeFINE embedding of width 32",
            LanguageModelConfig(
                8000,
                hidden_dim=128,
                decoder=_stack(4, AttentionConfig(4), 256),
                embedding=EmbeddingConfig(32, tie="own", layer_type="define"),
            ),
        ),
        "delight_language_model_tiny": (
            "DeLighT language model: 4 blocks of width 128 for 8,000 tokens",
            LanguageModelConfig(
                8000,
                hidden_dim=128,
                decoder=_stack(4, DeLighTConfig(1), 32, activation="swish"),
                embedding=EmbeddingConfig(64, tie="own", layer_type="dextra"),
            ),
        ),
        "layer_drop_wikitext103": (
            "LayerDrop of Fan et al. (2020) for WikiText-103: a language model of 16 layers",
            LanguageModelConfig(
                _WIKITEXT103,
                hidden_dim=1024,
                decoder=_stack(
                    16,
                    AttentionConfig(8, dropout=0.1),
                    4096,
                    dropout=0.1,
                    layer_drop=LayerDropConfig(0.2),
                ),
                embedding=EmbeddingConfig(layer_type="adaptive", cutoffs=(20000, 60000), factor=4),
                normalize_first=True,
                dropout=0.3,
                max_length=512,
            ),
        ),
    }


def _stack(
    num_layers, attention, intermediate_dim, *, activation="relu", dropout=0.0, layer_drop=None
):
    return StackConfig(
        num_layers,
        attention=attention,
        feed_forward=FeedForwardConfig(intermediate_dim, activation=activation, dropout=dropout),
        layer_drop=layer_drop or LayerDropConfig(),
    )
