"""The architectures of ALBERT."""

from tfcompress.models.config_parts import (
    FeedForwardConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.text_encoder_config import TextEncoderConfig

# Layers, width and heads.
_SIZES = {
    "base": (12, 768, 12),
    "large": (24, 1024, 16),
    "xlarge": (24, 2048, 16),
    "xxlarge": (12, 4096, 64),
}


def albert_presets() -> dict[str, tuple[str, TextEncoderConfig]]:
    """Returns description and configuration by name.

    Example:

    >>> albert_presets()["albert_base"][1].embedding_dim
    128
    """
    return {f"albert_{size}": _albert(size, *shape) for size, shape in _SIZES.items()}


def _albert(size, num_layers, width, num_heads):
    encoder = StackConfig(
        num_layers,
        attention=AttentionConfig(num_heads),
        feed_forward=FeedForwardConfig(4 * width, activation="gelu_tanh"),
        sharing=SharingConfig("all"),
    )
    config = TextEncoderConfig(
        30000, hidden_dim=width, encoder=encoder, embedding_dim=128, dropout=0.0
    )
    return (
        f"ALBERT-{size} of Lan et al. (2020), version 2: a text encoder",
        config,
    )
