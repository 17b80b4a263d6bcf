"""The configuration that describes a model completely."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.models.config_parts import (
    EmbeddingConfig,
    FeedForwardConfig,
    LayerDropConfig,
    SharingConfig,
    StackConfig,
    TransformConfig,
    layer_groups,
)
from tfcompress.models.config_problems import config_problems

__all__ = [
    "EmbeddingConfig",
    "FeedForwardConfig",
    "LayerDropConfig",
    "Seq2SeqConfig",
    "SharingConfig",
    "StackConfig",
    "TransformConfig",
    "layer_groups",
]


@dataclass(frozen=True)
class Seq2SeqConfig(schema.Mapped):
    """An encoder-decoder Transformer.

    Every impossible setting is found when the configuration is made, all of them at once.

    Attributes:
        source_vocabulary_size: Number of source token ids.
        target_vocabulary_size: Number of target token ids; None for that of the source. `replace`
            leaves it as it is where the source's changes, unless it is None there again.
        hidden_dim: The model's width.
        encoder: The encoder.
        decoder: The decoder.
        embedding: Embeddings and output layer.
        positions: "sinusoidal" (`SinusoidalPosition` by tensor2tensor's formula, which is
            Marian's), "paper_sinusoidal" (by the paper's, which is MarianMT's) or "learned".
        first_position: The number that sinusoids give the first position; 2 in M2M100.
        normalize_first: Pre-norm rather than post-norm layers; adds a final normalization to both
            stacks.
        dropout: Dropout rate on embeddings and on the output of every sub-layer.
        epsilon: Epsilon of the normalizations.
        max_source_length: Longest source in tokens, end mark included.
        max_target_length: Longest target in tokens, end mark included.
        pad_id: Id of padding.
        bos_id: Id that a target begins with; it may be `pad_id`, or `eos_id` with a
            `target_prefix`.
        eos_id: Id that sources and targets end with.
        target_prefix: Ids that stand between `bos_id` and every target, such as the code of a
            language. Decoding begins with them, results leave them out, and they count for
            `max_target_length`.
        alignment_head: The head of the last cross-attention that says what tokens are aligned
            with, from 0; None for the mean over its heads.

    Raises:
        InputError: If settings are impossible, naming each of them.

    Example:

    >>> config = tfc.models.Seq2SeqConfig(source_vocabulary_size=8000, hidden_dim=256)
    >>> config.encoder.num_layers
    6
    """

    source_vocabulary_size: int
    _: KW_ONLY
    target_vocabulary_size: int | None = None
    hidden_dim: int = 512
    encoder: StackConfig = field(default_factory=StackConfig)
    decoder: StackConfig = field(default_factory=StackConfig)
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    positions: str = "sinusoidal"
    first_position: int = 0
    normalize_first: bool = False
    dropout: float = 0.1
    epsilon: float = 1e-5
    max_source_length: int = 256
    max_target_length: int = 256
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2
    target_prefix: tuple[int, ...] = ()
    alignment_head: int | None = None

    def __post_init__(self):
        if self.target_vocabulary_size is None:
            object.__setattr__(self, "target_vocabulary_size", self.source_vocabulary_size)
        problems = schema.type_problems(self) or list(config_problems(self))
        if problems:
            raise InputError(f"impossible configuration: {'; '.join(problems)}")

    @property
    def vocabulary_sizes(self) -> dict[str, Any]:
        """Number of token ids by side."""
        source, target = self.source_vocabulary_size, self.target_vocabulary_size
        return {"source": source, "target": source if target is None else target}

    @property
    def excluded_ids(self) -> list[int]:
        """The ids that decoding never produces."""
        return sorted({self.pad_id, self.bos_id} - {self.eos_id})
