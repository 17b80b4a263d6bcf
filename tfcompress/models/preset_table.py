"""Configurations with a name."""

import difflib
import os
from dataclasses import dataclass

from tfcompress.errors import InputError
from tfcompress.models.albert_presets import albert_presets
from tfcompress.models.config import (
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.encoder_presets import encoder_presets
from tfcompress.models.language_model_config import LanguageModelConfig
from tfcompress.models.language_model_presets import language_model_presets
from tfcompress.models.mixers import AttentionConfig
from tfcompress.models.preset_folder import read_config
from tfcompress.models.published_presets import published_presets
from tfcompress.models.text_encoder_config import TextEncoderConfig


@dataclass(frozen=True)
class Preset:
    """A configuration and what it is for.

    Attributes:
        description: One line.
        config: The configuration.
    """

    description: str
    config: Seq2SeqConfig | TextEncoderConfig | LanguageModelConfig


def list_presets() -> dict[str, str]:
    """Returns the description of every preset by its name.

    Example:

    >>> tfc.models.list_presets()["transformer_tiny"]
    '4 + 4 layers of width 128 for 8,000 joint tokens'
    """
    return {name: entry.description for name, entry in PRESETS.items()}


def preset(
    name_or_folder: str | os.PathLike,
) -> Seq2SeqConfig | TextEncoderConfig | LanguageModelConfig:
    """Returns a configuration by name, or that of a saved model.

    Args:
        name_or_folder: One of `PRESETS`, or a folder that `save_preset` wrote. Where both exist,
            the name goes first: write `./name` for the folder.

    Raises:
        InputError: If there is neither, or the folder holds no configuration.

    Example:

    >>> tfc.models.preset("transformer_tiny").hidden_dim
    128
    """
    name = os.fspath(name_or_folder)
    if name in PRESETS:
        return PRESETS[name].config
    if os.path.isdir(name):
        return read_config(name)
    near = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.5)
    remedy = f"Did you mean `{near[0]}`?" if near else f"Presets are {', '.join(PRESETS)}."
    raise InputError(f"A preset must be a known name or a folder. Received: {name!r}. {remedy}")


_NOT_SHARED = SharingConfig("none")
_ONE_TABLE = EmbeddingConfig(share=True)


def _stack(num_layers, num_heads, intermediate_dim, sharing):
    attention, feed_forward = AttentionConfig(num_heads), FeedForwardConfig(intermediate_dim)
    return StackConfig(num_layers, attention=attention, feed_forward=feed_forward, sharing=sharing)


def _transformer(
    vocabulary_size,
    hidden_dim,
    intermediate_dim,
    num_heads,
    num_layers,
    *,
    sharing=_NOT_SHARED,
    embedding=_ONE_TABLE,
    dropout=0.1,
):
    """A Transformer whose stacks differ in their number of layers only."""
    encoder_layers, decoder_layers = num_layers
    return Seq2SeqConfig(
        source_vocabulary_size=vocabulary_size,
        hidden_dim=hidden_dim,
        encoder=_stack(encoder_layers, num_heads, intermediate_dim, sharing),
        decoder=_stack(decoder_layers, num_heads, intermediate_dim, sharing),
        embedding=embedding,
        dropout=dropout,
    )


def _big_shared(
    embedding_dim: int | None = 256,
    *,
    vocabulary_size=40000,
    hidden_dim=1024,
    intermediate_dim=4096,
    num_heads=16,
    num_layers=(6, 6),
    one_table=False,
    dropout=0.1,
):
    """Transformer-big with one encoder layer, one decoder layer and a factorized embedding.

    Of one table, the output layer has a projection of its own; of two, it shares the target's.
    """
    return _transformer(
        vocabulary_size,
        hidden_dim,
        intermediate_dim,
        num_heads,
        num_layers,
        sharing=SharingConfig("all"),
        embedding=EmbeddingConfig(
            embedding_dim, share=one_table, tie="own" if one_table else "shared"
        ),
        dropout=dropout,
    )


PRESETS: dict[str, Preset] = {
    "transformer_tiny": Preset(
        "4 + 4 layers of width 128 for 8,000 joint tokens",
        _transformer(8000, 128, 256, 4, (4, 4)),
    ),
    "transformer_tiny_shared_e64": Preset(
        "transformer_tiny with layers shared in pairs and an embedding factorized to 64",
        _transformer(
            8000,
            128,
            256,
            4,
            (4, 4),
            sharing=SharingConfig("groups", groups=2),
            embedding=EmbeddingConfig(64, share=True),
        ),
    ),
    "transformer_small": Preset(
        "3 + 3 layers of width 256 for 8,000 joint tokens",
        _transformer(8000, 256, 1024, 4, (3, 3)),
    ),
    "student_tiny": Preset(
        "deep encoder, shallow decoder: 6 + 2 layers of width 256 for 32,000 joint tokens",
        _transformer(32000, 256, 1536, 8, (6, 2)),
    ),
    "student_base": Preset(
        "6 + 6 layers of width 512 for 32,000 joint tokens",
        _transformer(32000, 512, 2048, 8, (6, 6)),
    ),
    "transformer_base": Preset(
        "Transformer-base of Vaswani et al. (2017): 6 + 6 layers of width 512, 37,000 joint tokens",
        _transformer(37000, 512, 2048, 8, (6, 6)),
    ),
    "transformer_big": Preset(
        "Transformer-big: 6 + 6 layers of width 1024, source and target tables of 40,000",
        _transformer(
            40000, 1024, 4096, 16, (6, 6), embedding=EmbeddingConfig(share=False), dropout=0.3
        ),
    ),
    "big_shared": Preset(
        "Transformer-big with one encoder layer and one decoder layer, each applied 6 times",
        _big_shared(embedding_dim=None, dropout=0.3),
    ),
    "big_shared_e128": Preset(
        "big_shared with embeddings factorized to 128 and dropout 0.1",
        _big_shared(128),
    ),
    "big_shared_e256": Preset(
        "big_shared with embeddings factorized to 256 and dropout 0.1",
        _big_shared(),
    ),
    "big_shared_e256_one_table": Preset(
        "big_shared_e256 with one table for source and target, projections for input and output",
        _big_shared(one_table=True),
    ),
    "big_shared_e256_vocabulary6k": Preset(
        "big_shared_e256 with tables of 6,000",
        _big_shared(vocabulary_size=6000),
    ),
    "big_shared_e256_ffn2048": Preset(
        "big_shared_e256 with a feed-forward width of 2048",
        _big_shared(intermediate_dim=2048),
    ),
    "big_shared_e256_12e3d": Preset(
        "big_shared_e256 with 12 + 3 layers: a deeper encoder, a faster decoder",
        _big_shared(num_layers=(12, 3)),
    ),
    "big_shared_e256_12e6d_768": Preset(
        "big_shared_e256 with 12 + 6 layers of width 768 and 12 heads",
        _big_shared(hidden_dim=768, num_heads=12, num_layers=(12, 6)),
    ),
    **{
        name: Preset(*entry)
        for presets in (published_presets, encoder_presets, albert_presets, language_model_presets)
        for name, entry in presets().items()
    },
}
