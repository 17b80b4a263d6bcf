"""The tokenizers of MarianMT models: two SentencePiece models over one list of ids, or two."""

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.files import read_json
from tfcompress.text.affixes import NO_ID
from tfcompress.text.tokenizer import Tokenizer, open_model

MODELS = {"source": "source.spm", "target": "target.spm"}
VOCABULARY, TARGET_VOCABULARY = "vocab.json", "target_vocab.json"
_SETTINGS = "tokenizer_config.json"
_CODE = re.compile(r">>.+<<")
# SentencePiece takes a character without a piece for this much less likely than the last piece.
_UNKNOWN_PENALTY = 10.0
# More than any vocabulary has.
_MOST_IDS = 2**22


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
    special = special_tokens(settings)
    sizes = {"source": source_vocabulary_size, "target": target_vocabulary_size}
    paths = {"source": folder / VOCABULARY, "target": folder / VOCABULARY}
    if settings.get("separate_vocabs") or (folder / TARGET_VOCABULARY).is_file():
        paths["target"] = folder / TARGET_VOCABULARY
    tokenizers = []
    for side, name in MODELS.items():
        pieces = ordered_pieces(paths[side], read_settings(paths[side]), special, sizes[side] or 0)
        tokenizers.append(Tokenizer(ordered_model(folder / name, pieces, special)))
    return tokenizers[0], tokenizers[1]


def marian_languages(folder: str | os.PathLike) -> dict[str, str]:
    """Returns the languages that a MarianMT folder names, by "source" and "target".

    Args:
        folder: The folder.

    Raises:
        InputError: If its settings are damaged.

    Example:

    >>> marian_languages("opus-mt-en-de")
    {'source': 'en', 'target': 'de'}
    """
    path = Path(folder) / _SETTINGS
    settings = read_settings(path) if path.is_file() else {}
    languages = {side: settings.get(f"{side}_lang") for side in MODELS}
    return {side: name for side, name in languages.items() if isinstance(name, str)}


def special_tokens(settings: Mapping[str, Any]) -> dict[str, str]:
    """Returns the pieces of padding, end and unknown.

    Args:
        settings: Those of `tokenizer_config.json`.
    """
    special = {"pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
    for role in special:
        token = settings.get(f"{role}_token")
        if isinstance(token, dict):
            token = token.get("content")
        if isinstance(token, str):
            special[role] = token
    return special


def ordered_pieces(
    path: Path, ids: Mapping[str, Any], special: Mapping[str, str], size: int
) -> list[str | None]:
    """Returns the piece of each id, or None where an id has none.

    Args:
        path: Where the ids are from.
        ids: The id of each piece.
        special: The pieces that must be there.
        size: How many ids the model has; 0 for as many as there are.

    Raises:
        InputError: If they are no ids of their own, or do not match the model.
    """
    if not all(type(id) is int and id >= 0 for id in ids.values()) or len(set(ids.values())) < len(
        ids
    ):
        raise InputError(
            f"A vocabulary gives every piece an id of its own. Received: {path}, where ids repeat "
            "or are no whole numbers. Download it again."
        )
    check_utf8(path, ids)
    size = size or min(max(ids.values(), default=-1) + 1, _MOST_IDS)
    if size > _MOST_IDS:
        raise InputError(
            f"A model has at most {_MOST_IDS:,} ids. Received: one of {size:,}, with {path} of "
            f"{len(ids):,}. Download the model again."
        )
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


def check_utf8(path: Path, pieces: Iterable[str]) -> None:
    """Makes sure that pieces are text that UTF-8 can hold.

    Args:
        path: Where they are from.
        pieces: The pieces.

    Raises:
        InputError: If they are not.
    """
    try:
        "".join(pieces).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"Pieces must be text that UTF-8 can hold. Received: {path} with "
            f"{error.object[error.start]!r}. Download it again."
        ) from None


def ordered_model(
    path: Path,
    vocabulary: Sequence[str | None],
    special: Mapping[str, str],
    *,
    controls: Collection[str] = (),
    proto: bytes | None = None,
) -> bytes:
    """Returns a SentencePiece model with its pieces in the order of a vocabulary.

    Args:
        path: The model's file.
        vocabulary: The piece of each id, or None where an id has none.
        special: The pieces of padding, begin, end and unknown, by "pad", "bos", "eos" and "unk";
            begin is padding where it is left out.
        controls: Further pieces that no text is split into.
        proto: The model, where the file has it in another form.

    Raises:
        InputError: If it is no model, or of another vocabulary.
    """
    from sentencepiece.sentencepiece_model_pb2 import (
        ModelProto,  # pyright: ignore[reportAttributeAccessIssue]
    )

    _, proto, processor = open_model(path if proto is None else proto)
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
    special = {"bos": special["pad"], **special}
    roles = dict.fromkeys([*controls, *special.values()], piece_class.CONTROL)
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
    for role, piece in special.items():
        setattr(trainer, f"{role}_piece", piece)
        setattr(trainer, f"{role}_id", vocabulary.index(piece))
    # What the model does not know leaves no trace, as in Marian's output.
    trainer.unk_surface = ""
    return model.SerializeToString()


def read_settings(path: Path, kind: str = "MarianMT") -> dict[str, Any]:
    """Returns the names and values of one of a translator's JSON files.

    Args:
        path: The file.
        kind: What such models are called.

    Raises:
        InputError: The file is missing or cannot be read, or holds something else.
    """
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise InputError(
            f"There is no such file. Received: {path}. Give the folder of one of the {kind} models."
        ) from None
    if not isinstance(content, dict):
        raise InputError(
            f"The file must hold names and values. Received: {path}, a "
            f"{type(content).__name__}. Download it again."
        )
    return content
