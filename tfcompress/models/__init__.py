"""Models assembled from layers, and their configuration."""

from tfcompress.models.config import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    SharingConfig,
    StackConfig,
)
from tfcompress.models.seq2seq import Seq2SeqTransformer

__all__ = [
    "AttentionConfig",
    "EmbeddingConfig",
    "FeedForwardConfig",
    "Seq2SeqConfig",
    "Seq2SeqTransformer",
    "SharingConfig",
    "StackConfig",
]
