"""Tokenizers for models that have none, so that they can be timed."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcompress.models import LanguageModelConfig, Seq2SeqConfig, TextEncoderConfig
from tfcompress.text import Tokenizer, train_tokenizer
from tfcompress.text.wordpiece import WordPieceTokenizer

_PIECES = 1000


def placeholder_tokenizers(
    config: Seq2SeqConfig | TextEncoderConfig | LanguageModelConfig, texts: Sequence[str]
) -> dict[str, Any]:
    """Returns tokenizers of a model's vocabulary sizes, by option of an export.

    They know the pieces of some texts; their other ids stand for nothing.

    Args:
        config: The model's configuration.
        texts: The texts.

    Example:

    >>> config = tfc.models.preset("transformer_tiny")
    >>> tokenizers = placeholder_tokenizers(config, ["Two dogs play.", "A dog runs."])
    >>> tokenizers["source_tokenizer"].vocabulary_size == config.source_vocabulary_size
    True
    """
    if isinstance(config, TextEncoderConfig):
        return {"tokenizer": _word_pieces(config.vocabulary_size, texts)}
    if isinstance(config, LanguageModelConfig):
        return {"tokenizer": _sentence_pieces(config.vocabulary_size, texts)}
    sizes = config.source_vocabulary_size, config.target_vocabulary_size
    source = _sentence_pieces(sizes[0], texts)
    target = source if sizes[0] == sizes[1] else _sentence_pieces(sizes[1], texts)
    return {"source_tokenizer": source, "target_tokenizer": target}


def _sentence_pieces(size, texts):
    from sentencepiece.sentencepiece_model_pb2 import (
        ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
    )

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.model"
        pieces = min(size, _PIECES + len(set().union(*texts)))
        small = train_tokenizer(texts, vocabulary_size=pieces, path=path, hard_vocab_limit=False)
    proto = ModelProto.FromString(small.proto)
    for number in range(len(proto.pieces), size):
        proto.pieces.add(piece=f"\ue000{number}", score=-1e6)
    proto.trainer_spec.vocab_size = size
    return Tokenizer(proto.SerializeToString())


def _word_pieces(size, texts):
    words = sorted({word for text in texts for word in text.lower().split()})
    letters = sorted({letter for word in words for letter in word})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    pieces += [word for word in words if word not in letters]
    pieces += [f"[unused{number}]" for number in range(len(pieces), size)]
    return WordPieceTokenizer(pieces[:size])
