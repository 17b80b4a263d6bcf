"""The vocabularies of Marian's own models: SentencePiece models, with tables of ids or without."""

import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from sentencepiece.sentencepiece_model_pb2 import (
    ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
)

from tfcompress.errors import InputError
from tfcompress.files import read_json, read_utf8
from tfcompress.text.affixes import NO_ID
from tfcompress.text.marian import MODELS, ordered_model
from tfcompress.text.tokenizer import Tokenizer, open_model

TABLES = (".yml", ".yaml", ".json")
EOS, UNK = "</s>", "<unk>"
_Piece = ModelProto.SentencePiece
_MOST_BYTES = 2**26


class _NoTableError(Exception):
    """Why a file is no table of ids."""


def marian_vocabularies(
    vocabularies: str | os.PathLike | Sequence[str | os.PathLike],
    source_vocabulary_size: int,
    target_vocabulary_size: int,
    *,
    one_table: bool,
) -> tuple[Tokenizer, Tokenizer]:
    """Reads the vocabularies of a model in Marian's own files.

    Ids stay what they are; one id more is padding and begins targets.

    Args:
        vocabularies: One file for both sides or one for each: SentencePiece models, or tables of
            ids (`.yml`, `.yaml`, `.json`) with `source.spm` and `target.spm` beside them.
        source_vocabulary_size: The number of the model's source ids, without padding.
        target_vocabulary_size: The same of the target.
        one_table: Whether the model has one table for both sides, so that their ids must be the
            same.

    Returns:
        The tokenizers of source and target, one object twice where they are one.

    Raises:
        InputError: If a file is missing, damaged or factored, or does not match the model.

    Example:

    >>> source, target = marian_vocabularies("vocab.spm", 72, 72, one_table=True)
    >>> source is target, source.eos_id, source.unk_id, source.pad_id
    (True, 0, 1, 72)
    """
    paths = _paths(vocabularies)
    sizes = source_vocabulary_size, target_vocabulary_size
    tables = [path.suffix in TABLES for path in paths]
    if paths[0] == paths[1] and not any(tables):
        if sizes[0] != sizes[1]:
            raise InputError(
                "A model with tables of two sizes needs two vocabularies. Received: "
                f"{paths[0]} for {sizes[0]} and {sizes[1]} ids. Give the source's and the target's."
            )
        tokenizer = Tokenizer(_with_padding(paths[0], sizes[0]))
        return tokenizer, tokenizer
    models = [
        _of_table(path, side, size) if is_table else _with_padding(path, size)
        for path, side, size, is_table in zip(paths, MODELS, sizes, tables)
    ]
    if one_table and paths[0] != paths[1]:
        _check_same_ids(paths, models)
    if models[0] == models[1]:
        tokenizer = Tokenizer(models[0])
        return tokenizer, tokenizer
    return Tokenizer(models[0]), Tokenizer(models[1])


def _paths(vocabularies):
    paths = [vocabularies] if isinstance(vocabularies, str | os.PathLike) else list(vocabularies)
    if not 1 <= len(paths) <= 2:
        raise InputError(
            "`vocabularies` must be one file for both sides or one for each. Received: "
            f"{len(paths)} files."
        )
    paths = [Path(path) for path in paths]
    for path in paths:
        if path.suffix == ".fsv":
            raise InputError(
                "Factored vocabularies are not supported. Received: "
                f"{path}. Give a model with a SentencePiece vocabulary."
            )
    return [paths[0], paths[-1]]


def _with_padding(path, size) -> bytes:
    """A SentencePiece model with one piece more."""
    _, proto, processor = open_model(path)
    model = ModelProto.FromString(proto)
    if len(model.pieces) != size:
        raise InputError(
            "The vocabulary must match the model. Received: "
            f"{path} of {len(model.pieces)} pieces, where the model has {size} ids. Give the "
            "vocabulary that was published with the model."
        )
    eos, unk = processor.eos_id(), processor.unk_id()
    if eos != 0 or unk < 0:
        raise InputError(
            "Marian's vocabularies end sentences with id 0 and have an id for unknown pieces. "
            f"Received: {path} with {eos} and {unk}. Give the vocabulary that was published with "
            "the model."
        )
    trainer = model.trainer_spec
    trainer.pad_piece = trainer.bos_piece = _new_name({piece.piece for piece in model.pieces})
    trainer.pad_id = trainer.bos_id = size
    model.pieces.append(_Piece(piece=trainer.pad_piece, score=0.0, type=_Piece.CONTROL))
    trainer.vocab_size = size + 1
    return model.SerializeToString()


def _of_table(path, side, size) -> bytes:
    """The model of a side with its pieces in the order of a table of ids, and padding."""
    ids = _read_table(path)
    if sorted(ids.values()) != list(range(size)):
        raise InputError(
            "The vocabulary must match the model. Received: "
            f"{path} of {len(ids)} pieces, where the model has {size} ids. Give the vocabulary "
            "that was published with the model."
        )
    if ids.get(EOS) != 0 or UNK not in ids:
        raise InputError(
            f"Marian's vocabularies have {EOS} with id 0 and {UNK}. Received: {path} with "
            f"{ids.get(EOS)} and {ids.get(UNK)}. Give the vocabulary that was published with the "
            "model."
        )
    pad = _new_name(ids)
    pieces = [*sorted(ids, key=ids.__getitem__), pad]
    model = path.parent / MODELS[side]
    return ordered_model(model, pieces, {"pad": pad, "eos": EOS, "unk": UNK})


def _read_table(path) -> dict[str, int]:
    try:
        if path.suffix == ".json":
            ids = read_json(path)
        else:
            ids = _plain_pairs(read_utf8(path, most_bytes=_MOST_BYTES))
    except FileNotFoundError:
        raise InputError(
            f"There is no such file. Received: {path}. Give the model's vocabulary."
        ) from None
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, _NoTableError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"The vocabulary must be pieces and their ids ({reason}). Received: {path}."
        ) from None
    if not isinstance(ids, dict) or not all(type(id) is int and id >= 0 for id in ids.values()):
        raise InputError(
            f"The vocabulary must be pieces and their ids. Received: {path}, which holds something "
            "else."
        )
    return ids


def _plain_pairs(text) -> dict[str, int]:
    """The pairs of a YAML mapping, pieces always as text, such as `no` and `1.5`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    events = iter(yaml.parse(text, Loader=loader))
    outer = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.MappingStartEvent)
    for expected in outer:
        if not isinstance(next(events, None), expected):
            raise _NoTableError("no mapping")
    ids, key = {}, None
    for event in events:
        if isinstance(event, yaml.MappingEndEvent) and key is None:
            return ids
        if not isinstance(event, yaml.ScalarEvent):
            raise _NoTableError("a piece or an id is no scalar")
        if key is None:
            key = event.value
            if key in ids:
                raise _NoTableError(f"{key!r} is there twice")
        else:
            ids[key], key = int(event.value), None
    raise _NoTableError("the mapping does not end")


def _new_name(pieces) -> str:
    name = "<pad>"
    while name in pieces:
        name = f"<{name}>"
    return name


def _check_same_ids(paths, models):
    pieces = [[piece.piece for piece in ModelProto.FromString(model).pieces] for model in models]
    if pieces[0] != pieces[1]:
        index = next(i for i, pair in enumerate(zip(*pieces)) if pair[0] != pair[1])
        raise InputError(
            "A model with one table must have one vocabulary. Received: "
            f"{paths[0]} and {paths[1]}, where id {index} is {pieces[0][index]!r} and "
            f"{pieces[1][index]!r}. Give the vocabulary that was published with the model."
        )


def marian_pieces(tokenizer: Tokenizer) -> tuple[bytes, list[int]]:
    """Returns a tokenizer as Marian has it: end first, then unknown, without padding and begin.

    Args:
        tokenizer: The tokenizer.

    Returns:
        The SentencePiece model, and the tokenizer's id of each of its pieces.

    Raises:
        InputError: If the tokenizer has pieces without ids.

    Example:

    >>> model, ids = marian_pieces(tokenizer)
    >>> ids[:2] == [tokenizer.eos_id, tokenizer.unk_id]
    True
    """
    model = ModelProto.FromString(tokenizer.proto)
    if len(model.pieces) != tokenizer.vocabulary_size:
        beyond = len(model.pieces) - tokenizer.vocabulary_size - 1
        raise InputError(
            "Marian's vocabularies have an id for every piece. Received: "
            f"a tokenizer with {beyond} pieces without ids, after {NO_ID!r}. Train a model with a "
            "tokenizer of `train_tokenizer`."
        )
    first = [tokenizer.eos_id, tokenizer.unk_id]
    left_out = {*first, tokenizer.pad_id, tokenizer.bos_id}
    ids = first + [id for id in range(tokenizer.vocabulary_size) if id not in left_out]
    pieces = [_Piece.FromString(model.pieces[id].SerializeToString()) for id in ids]
    del model.pieces[:]
    model.pieces.extend(pieces)
    trainer = model.trainer_spec
    trainer.vocab_size = len(ids)
    trainer.eos_id, trainer.unk_id, trainer.bos_id, trainer.pad_id = 0, 1, -1, -1
    return model.SerializeToString(), ids
