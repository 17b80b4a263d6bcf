"""Removes pieces from SentencePiece models."""

from collections.abc import Iterable, Sequence

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.tokenizer import Tokenizer

_SPACE = "\u2581"


def keep_pieces(
    tokenizer: Tokenizer, sentences: Sequence[str], keep: Iterable[int] = ()
) -> tuple[np.ndarray, Tokenizer]:
    """Keeps the pieces that sentences need, and those that spell any text.

    Special pieces, pieces of one character and, of byte-pair models, pieces out of which others are
    merged stay too.

    Args:
        tokenizer: The tokenizer.
        sentences: The text.
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

    sentences = list(sentences)
    model = ModelProto.FromString(tokenizer.proto)
    encoded = tokenizer.encode(sentences)
    used = {id for ids in encoded for id in ids} | {int(id) for id in keep}
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
    new_ids = {old: new for new, old in enumerate(kept)}
    for sentence, ids, now in zip(sentences, encoded, smaller.encode(sentences)):
        if [new_ids[id] for id in ids] != now:
            raise InputError(
                "The smaller tokenizer would cut a sentence into other pieces. Received: "
                f"{sentence!r}. Keep the vocabulary as it is."
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
