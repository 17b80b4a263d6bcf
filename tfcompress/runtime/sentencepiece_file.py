"""Loads the SentencePiece models of bundles."""

from pathlib import Path

import sentencepiece

from tfcompress.errors import InputError


def load_sentencepiece(path: Path | None) -> sentencepiece.SentencePieceProcessor | None:
    """Returns a tokenizer, or None for None.

    Args:
        path: Its file.

    Raises:
        InputError: It is no SentencePiece model.
    """
    if path is None:
        return None
    processor = sentencepiece.SentencePieceProcessor()
    try:
        # Given to the constructor, an empty file would count as none and pass unnoticed.
        processor.LoadFromSerializedProto(path.read_bytes())
    except RuntimeError:
        raise InputError(
            f"The SentencePiece model cannot be used. Received: {path}. Export or copy the bundle "
            "again."
        ) from None
    return processor
