"""The architectures of the papers behind the methods."""

from tfcompress.models.config import (
    EmbeddingConfig,
    FeedForwardConfig,
    LayerDropConfig,
    Seq2SeqConfig,
    StackConfig,
    TransformConfig,
)
from tfcompress.models.mixers import (
    AttentionConfig,
    ConvolutionConfig,
    DeLighTConfig,
    FixedPatternConfig,
    LSRAConfig,
    ScalingConfig,
)

# Not printed with the numbers; any from 43,728 to 43,740 gives them.
_DELIGHT_VOCABULARY = 43736
# Not printed either; any from 30,931 to 30,963 gives them.
_FIXED_VOCABULARY = 30940
_LEARNED_BESIDE = "current previous next left_context right_context sentence_end sentence_start"


def published_presets() -> dict[str, tuple[str, Seq2SeqConfig]]:
    """Returns description and configuration by name.

    Example:

    >>> published_presets()["delight_256"][1].encoder.attention.mixer
    'delight'
    """
    return {
        **{f"delight_{width}": _delight(width) for width in (128, 256, 384, 512, 640)},
        "lite_transformer_200": _lite(200, dropout=0.04, attention_dropout=0.03),
        "lite_transformer_408": _lite(408, dropout=0.08, attention_dropout=0.07),
        "lite_transformer_496": _lite(496, dropout=0.1, attention_dropout=0.08),
        "fixed_patterns_8l": _fixed("all heads learned", ""),
        "fixed_patterns_7f1l": _fixed("7 fixed heads and 1 learned", _LEARNED_BESIDE),
        "fixed_patterns_8f": _fixed("8 fixed heads", f"{_LEARNED_BESIDE} last_token"),
        "layer_drop_12e6d": _layer_drop(),
    }


def _delight(width):
    stack = StackConfig(
        8,
        attention=DeLighTConfig(
            1,
            dropout=round(0.1 * width / 1024, 2),
            scaling=ScalingConfig(4, max_layers=8, width_multiplier=2.0),
        ),
        feed_forward=FeedForwardConfig(width // 4, activation="swish"),
    )
    embedding = EmbeddingConfig(
        128,
        share=True,
        tie="own",
        layer_type="dextra",
        transform=TransformConfig(4, width_multiplier=2.0),
    )
    config = Seq2SeqConfig(
        source_vocabulary_size=_DELIGHT_VOCABULARY,
        hidden_dim=width,
        encoder=stack,
        decoder=stack,
        embedding=embedding,
        dropout=round(0.3 * width / 1024, 2),
    )
    return f"DeLighT of Mehta et al. (2021) for WMT14 English-German, width {width}", config


def _lite(width, *, dropout, attention_dropout):
    stack = StackConfig(
        6,
        attention=LSRAConfig(
            4,
            dropout=attention_dropout,
            convolution=ConvolutionConfig(
                kernel_size=(3, 7, 15, 31, 31, 31), weight_dropout=attention_dropout
            ),
        ),
        feed_forward=FeedForwardConfig(width),
    )
    decoder = StackConfig(
        6,
        attention=stack.attention,
        feed_forward=stack.feed_forward,
        cross_attention=AttentionConfig(8, dropout=attention_dropout),
    )
    config = Seq2SeqConfig(
        source_vocabulary_size=32768,
        hidden_dim=width,
        encoder=stack,
        decoder=decoder,
        embedding=EmbeddingConfig(share=True),
        dropout=dropout,
    )
    return f"Lite Transformer of Wu et al. (2020), width {width}", config


def _fixed(heads, patterns):
    patterns = tuple(patterns.split())
    mixer = FixedPatternConfig(8, patterns=patterns) if patterns else AttentionConfig(8)
    config = Seq2SeqConfig(
        source_vocabulary_size=_FIXED_VOCABULARY,
        hidden_dim=512,
        encoder=StackConfig(6, attention=mixer),
        decoder=StackConfig(6),
        embedding=EmbeddingConfig(tie="none"),
        normalize_first=True,
    )
    return f"Transformer-base with {heads}, Raganato et al. (2020)", config


def _layer_drop():
    attention, feed_forward = AttentionConfig(16, dropout=0.1), FeedForwardConfig(4096)
    drop = LayerDropConfig(0.2)
    config = Seq2SeqConfig(
        source_vocabulary_size=32768,
        hidden_dim=1024,
        encoder=StackConfig(12, attention=attention, feed_forward=feed_forward, layer_drop=drop),
        decoder=StackConfig(6, attention=attention, feed_forward=feed_forward, layer_drop=drop),
        embedding=EmbeddingConfig(share=True),
        dropout=0.2,
    )
    return "Transformer-big with 12 + 6 layers and LayerDrop 0.2, Fan et al. (2020)", config
