"""Removes pieces from SentencePiece models."""

from collections.abc import Iterable, Iterator

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.text_stream import in_parts
from tfcompress.text.tokenizer import Tokenizer

_SPACE = "\u2581"


def keep_pieces(
    tokenizer: Tokenizer, sentences: Iterable[str], keep: Iterable[int] = ()
) -> tuple[np.ndarray, Tokenizer]:
    """Keeps the pieces that sentences need, and those that spell any text.

    Special pieces, pieces of one character and, of byte-pair models, pieces out of which others are
    merged stay too.

    Args:
        tokenizer: The tokenizer.
        sentences: The text, which is gone through twice.
        keep: Ids of other pieces to keep.

    Returns:
        The old ids of the pieces that are kept, ascending, and the new tokenizer, which cuts the
        sentences into the same pieces.

    Raises:
        InputError: If the smaller model would cut the sentences otherwise.

    Example:

    >>> kept, smaller = keep_pieces(tokenizer, sources + targets)
    """
    from sentencepiece.sentencepiece_model_pb2 import (
        ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
    )

    if isinstance(sentences, Iterator):
        sentences = list(sentences)
    model = ModelProto.FromString(tokenizer.proto)
    used = {int(id) for id in keep}
    for part in in_parts(sentences):
        used.update(np.unique(tokenizer.encode_corpus(part)[0]).tolist())
    ordinary = model.SentencePiece.NORMAL
    if model.trainer_spec.model_type == model.trainer_spec.BPE:
        used |= _merged_from({model.pieces[id].piece for id in used}, model)
    kept = [
        id
        for id, piece in enumerate(model.pieces[: tokenizer.vocabulary_size])
        if id in used or piece.type != ordinary or len(piece.piece.lstrip(_SPACE)) <= 1
    ]
    pieces = [model.pieces[id] for id in kept]
    pieces += model.pieces[tokenizer.vocabulary_size :]
    del model.pieces[:]
    model.pieces.extend(pieces)
    model.trainer_spec.vocab_size = len(pieces)
    smaller = Tokenizer(model.SerializeToString())
    new_ids = np.full(tokenizer.vocabulary_size, -1)
    new_ids[kept] = np.arange(len(kept))
    for part in in_parts(sentences):
        ids, splits = tokenizer.encode_corpus(part)
        now, new_splits = smaller.encode_corpus(part)
        if not (np.array_equal(splits, new_splits) and np.array_equal(new_ids[ids], now)):
            rows = zip(part, tokenizer.encode(part), smaller.encode(part))
            other = next(text for text, old, new in rows if [*new_ids[old]] != new)
            raise InputError(
                "The smaller tokenizer would cut a sentence into other pieces. Received: "
                f"{other!r}. Keep the vocabulary as it is."
            )
    return np.array(kept), smaller


def _merged_from(pieces, model):
    """Ids of the pieces that occur inside others: merging passes through them."""
    inner = {
        piece[i:j]
        for piece in pieces
        for i in range(len(piece))
        for j in range(i + 1, len(piece) + 1)
    }
    return {id for id, piece in enumerate(model.pieces) if piece.piece in inner}
