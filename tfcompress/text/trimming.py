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
        The old ids of the pieces that are kept (padding, begin, end and unknown first, the others
        ascending), and the new tokenizer, which cuts the sentences into the same pieces.

    Raises:
        InputError: If the smaller model would cut the sentences otherwise.

    Example:

    >>> kept, smaller = keep_pieces(tokenizer, sources + targets)
    """
    if isinstance(sentences, Iterator):
        sentences = list(sentences)
    kept = special_first(tokenizer, needed_pieces(tokenizer, sentences, keep))
    return kept, with_pieces(tokenizer, kept, sentences)


def keep_shared_pieces(
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    sources: Iterable[str],
    targets: Iterable[str],
    keep: Iterable[int] = (),
) -> tuple[np.ndarray, Tokenizer, Tokenizer]:
    """Keeps the pieces that either of two tokenizers over one list of ids needs.

    Args:
        source_tokenizer: The tokenizer of sources.
        target_tokenizer: The tokenizer of targets.
        sources: Sources, which are gone through twice.
        targets: Targets, likewise.
        keep: As for `keep_pieces`.

    Returns:
        As `keep_pieces`, with both new tokenizers.

    Raises:
        InputError: As `keep_pieces` does.

    Example:

    >>> kept, *smaller = keep_shared_pieces(tokenizer, tokenizer, sources, targets)
    """
    needed = needed_pieces(source_tokenizer, sources)
    kept = special_first(source_tokenizer, needed | needed_pieces(target_tokenizer, targets, keep))
    return (
        kept,
        with_pieces(source_tokenizer, kept, sources),
        with_pieces(target_tokenizer, kept, targets),
    )


def needed_pieces(
    tokenizer: Tokenizer, sentences: Iterable[str], keep: Iterable[int] = ()
) -> set[int]:
    """Returns the ids of the pieces that `keep_pieces` keeps.

    Args:
        tokenizer: As for `keep_pieces`.
        sentences: As for `keep_pieces`, gone through once.
        keep: As for `keep_pieces`.

    Raises:
        InputError: An id to keep is none of the tokenizer's.
    """
    model = _model(tokenizer)
    needed = {int(id) for id in keep}
    for id in needed:
        if not 0 <= id < tokenizer.vocabulary_size:
            raise InputError(
                f"Ids to keep must be from 0 to {tokenizer.vocabulary_size - 1}. Received: {id}. "
                "Give ids of the tokenizer."
            )
    for part in in_parts(sentences):
        needed.update(np.unique(tokenizer.encode_corpus(part)[0]).tolist())
    if model.trainer_spec.model_type == model.trainer_spec.BPE:
        needed |= _merged_from({model.pieces[id].piece for id in needed}, model)
    ordinary, unused = model.SentencePiece.NORMAL, model.SentencePiece.UNUSED
    for id, piece in enumerate(model.pieces):
        is_short = piece.type == ordinary and len(piece.piece.lstrip(_SPACE)) <= 1
        if is_short or piece.type not in (ordinary, unused):
            needed.add(id)
    return {id for id in needed if id < tokenizer.vocabulary_size}


def special_first(tokenizer: Tokenizer, ids: Iterable[int]) -> np.ndarray:
    """Returns ids with padding, begin, end and unknown before the others, which ascend.

    Args:
        tokenizer: The tokenizer that has them.
        ids: The ids.
    """
    special = dict.fromkeys(
        (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.unk_id)
    )
    return np.array([*special, *sorted({*ids} - {*special})])


def with_pieces(tokenizer: Tokenizer, kept: np.ndarray, sentences: Iterable[str]) -> Tokenizer:
    """Returns a tokenizer with some pieces only, and those without ids.

    Args:
        tokenizer: The tokenizer.
        kept: The old ids of the pieces to keep, by their new ids.
        sentences: Text that it must cut into the same pieces.

    Raises:
        InputError: If it does not.
    """
    model = _model(tokenizer)
    pieces = [model.pieces[int(id)] for id in kept]
    pieces += model.pieces[tokenizer.vocabulary_size :]
    del model.pieces[:]
    model.pieces.extend(pieces)
    model.trainer_spec.vocab_size = len(pieces)
    new_ids = np.full(tokenizer.vocabulary_size, -1)
    new_ids[kept] = np.arange(len(kept))
    for role in ("pad_id", "bos_id", "eos_id", "unk_id"):
        setattr(model.trainer_spec, role, int(new_ids[getattr(tokenizer, role)]))
    smaller = Tokenizer(model.SerializeToString())
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
    return smaller


def have_one_list(one: Tokenizer, other: Tokenizer) -> bool:
    """Whether two tokenizers have one list of ids, in which each may lack pieces of the other.

    Args:
        one: A tokenizer.
        other: Another one.
    """
    roles = ("vocabulary_size", "pad_id", "bos_id", "eos_id", "unk_id")
    if any(getattr(one, role) != getattr(other, role) for role in roles):
        return False
    models = _model(one), _model(other)
    unused = models[0].SentencePiece.UNUSED
    pairs = zip(*(model.pieces[: one.vocabulary_size] for model in models))
    return all(a.piece == b.piece for a, b in pairs if a.type != unused and b.type != unused)


def _model(tokenizer):
    from sentencepiece.sentencepiece_model_pb2 import (
        ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
    )

    return ModelProto.FromString(tokenizer.proto)


def _merged_from(pieces, model):
    """Ids of the pieces that occur inside others: merging passes through them."""
    inner = {
        piece[i:j]
        for piece in pieces
        for i in range(len(piece))
        for j in range(i + 1, len(piece) + 1)
    }
    return {id for id, piece in enumerate(model.pieces) if piece.piece in inner}
