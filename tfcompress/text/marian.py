"""The tokenizers of MarianMT models: two SentencePiece models over one list of ids, or two."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.files import read_json
from tfcompress.text.tokenizer import NO_ID, Tokenizer, open_model

MODELS = {"source": "source.spm", "target": "target.spm"}
VOCABULARY, TARGET_VOCABULARY = "vocab.json", "target_vocab.json"
_SETTINGS = "tokenizer_config.json"
_CODE = re.compile(r">>.+<<")
# SentencePiece takes a character without a piece for this much less likely than the last piece.
_UNKNOWN_PENALTY = 10.0


def marian_tokenizers(
    folder: str | os.PathLike,
    *,
    source_vocabulary_size: int | None = None,
    target_vocabulary_size: int | None = None,
) -> tuple[Tokenizer, Tokenizer]:
    """Reads the tokenizers of a MarianMT folder.

    The pieces of its SentencePiece models are put in the order of its ids, so that they are
    ordinary tokenizers that give the model's ids, in training and on the device. A target code
    such as `>>de<<` is one piece where it begins a word. Pieces without an id count as unknown, as
    in Hugging Face's MarianTokenizer. Ids without a piece of the side's model are never given, but
    for characters that it does not know; where several of them follow one another, MarianTokenizer
    looks all of them up as one piece, and this one each of them.

    Args:
        folder: It has `source.spm`, `target.spm`, `vocab.json` and perhaps `target_vocab.json`.
        source_vocabulary_size: The number of the model's source ids; None for the vocabulary's.
        target_vocabulary_size: The same of the target.

    Returns:
        The tokenizers of source and target; begin of sentence is padding, as Marian has no other.

    Raises:
        InputError: A file is missing or damaged, or a vocabulary does not match its model.

    Example:

    >>> source, target = tfc.text.marian_tokenizers("opus-mt-en-de")
    """
    folder = Path(folder)
    settings = read_settings(folder / _SETTINGS) if (folder / _SETTINGS).is_file() else {}
    special = {
        role: _special(settings, f"{role}_token", default)
        for role, default in (("pad", "<pad>"), ("eos", "</s>"), ("unk", "<unk>"))
    }
    sizes = {"source": source_vocabulary_size, "target": target_vocabulary_size}
    paths = {"source": folder / VOCABULARY, "target": folder / VOCABULARY}
    if settings.get("separate_vocabs") or (folder / TARGET_VOCABULARY).is_file():
        paths["target"] = folder / TARGET_VOCABULARY
    tokenizers = [
        Tokenizer(
            ordered_model(folder / name, _vocabulary(paths[side], special, sizes[side]), special)
        )
        for side, name in MODELS.items()
    ]
    return tokenizers[0], tokenizers[1]


def _special(settings, name, default):
    token = settings.get(name)
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else default


def _vocabulary(path, special, size) -> list[str | None]:
    """The piece of each id, or None where an id has none."""
    ids = read_settings(path)
    if not all(type(id) is int and id >= 0 for id in ids.values()) or len(set(ids.values())) < len(
        ids
    ):
        raise InputError(
            f"A vocabulary gives every piece an id of its own. Received: {path}, where ids repeat "
            "or are no whole numbers. Download it again."
        )
    size = size or max(ids.values(), default=-1) + 1
    missing = [piece for piece in special.values() if piece not in ids]
    beyond = [piece for piece, id in ids.items() if id >= size]
    if missing or beyond:
        problem = (
            f"without {', '.join(missing)}"
            if missing
            else f"where {beyond[0]!r} has id {ids[beyond[0]]}, but the model {size} ids"
        )
        raise InputError(
            f"The vocabulary must match the model. Received: {path}, {problem}. Give the "
            "vocabulary that was published with the model."
        )
    pieces: list[str | None] = [None] * size
    for piece, id in ids.items():
        pieces[id] = piece
    return pieces


def ordered_model(
    path: Path, vocabulary: Sequence[str | None], special: Mapping[str, str]
) -> bytes:
    """Returns a SentencePiece model with its pieces in the order of a vocabulary.

    Args:
        path: The model's file.
        vocabulary: The piece of each id, or None where an id has none.
        special: The pieces of padding, end and unknown, by "pad", "eos" and "unk".

    Raises:
        InputError: If it is no model, or of another vocabulary.
    """
    from sentencepiece.sentencepiece_model_pb2 import (
        ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
    )

    _, proto, processor = open_model(path)
    model = ModelProto.FromString(proto)
    piece_class = ModelProto.SentencePiece
    own = {piece.piece: piece for piece in model.pieces if piece.type == piece_class.NORMAL}
    own |= {piece.piece: piece for piece in model.pieces if piece.type == piece_class.USER_DEFINED}
    if not own.keys() & {piece for piece in vocabulary if piece is not None}:
        raise InputError(
            f"The vocabulary must match the model. Received: {path}, none of whose pieces the "
            "vocabulary has. Give the vocabulary that was published with the model."
        )
    lowest = min(
        (piece.score for piece in model.pieces if piece.type == piece_class.NORMAL), default=0.0
    )
    roles = {special["pad"]: piece_class.CONTROL, special["eos"]: piece_class.CONTROL}
    roles[special["unk"]] = piece_class.UNKNOWN
    known = {character for piece in own for character in piece}
    pieces = []
    for id, piece in enumerate(vocabulary):
        new = piece_class(piece=piece or f"<unused {id}>", score=lowest, type=piece_class.UNUSED)
        if piece in roles:
            new.type, new.score = roles[piece], 0.0
        elif piece in own:
            new.CopyFrom(own[piece])
        elif piece is not None and _CODE.fullmatch(piece):
            new.piece, new.type = processor.normalize(piece), piece_class.USER_DEFINED
        elif piece is not None and len(piece) == 1 and piece not in known:
            # Marian's tokenizer looks unknown characters up too.
            new.type, new.score = piece_class.NORMAL, lowest - _UNKNOWN_PENALTY
        pieces.append(new)
    named = set(vocabulary)
    beyond = [piece for name, piece in own.items() if name not in named]
    if beyond:
        beyond.insert(0, piece_class(piece=NO_ID, type=piece_class.CONTROL))
    del model.pieces[:]
    model.pieces.extend([*pieces, *beyond])
    trainer = model.trainer_spec
    trainer.vocab_size = len(model.pieces)
    trainer.pad_piece = trainer.bos_piece = special["pad"]
    trainer.eos_piece, trainer.unk_piece = special["eos"], special["unk"]
    trainer.pad_id = trainer.bos_id = vocabulary.index(special["pad"])
    trainer.eos_id, trainer.unk_id = (vocabulary.index(special[role]) for role in ("eos", "unk"))
    # What the model does not know leaves no trace, as in Marian's output.
    trainer.unk_surface = ""
    return model.SerializeToString()


def read_settings(path: Path) -> dict[str, Any]:
    """Returns the names and values of one of a MarianMT folder's JSON files.

    Raises:
        InputError: The file is missing or cannot be read, or holds something else.
    """
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise InputError(
            f"There is no such file. Received: {path}. Give the folder of a MarianMT model."
        ) from None
    if not isinstance(content, dict):
        raise InputError(
            f"The file must hold names and values. Received: {path}, a "
            f"{type(content).__name__}. Download it again."
        )
    return content
