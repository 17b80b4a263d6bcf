"""Checks that all tokenizers of text encoders have in common."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from tfcompress.errors import InputError


def check_texts(texts: Iterable[str]) -> list[str]:
    """Returns texts as a list.

    Raises:
        InputError: It is one string, or an entry is no text that UTF-8 can hold.

    Example:
        >>> check_texts(("a", "b"))
        ['a', 'b']
    """
    if isinstance(texts, str | bytes):
        raise InputError("`texts` must be a list. Received: one string. Give a list of texts.")
    texts = list(texts)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"A text must be str. Received: text {number} of type {type(text).__name__}. Give "
                "str."
            )
    _check_utf8("texts", texts)
    return texts


def check_pieces(pieces: Sequence[str]) -> None:
    """Makes sure that pieces can be written to a file and read again.

    Raises:
        InputError: One is no text that UTF-8 can hold, or empty.

    Example:
        >>> check_pieces(["the", "##s"])
    """
    for number, piece in enumerate(pieces):
        if not isinstance(piece, str):
            raise InputError(
                f"A piece must be str. Received: piece {number} of type {type(piece).__name__}. "
                "Give str."
            )
        if not piece:
            raise InputError(
                f"A piece must not be empty. Received: piece {number} of the vocabulary, ''. "
                "Remove or name it."
            )
    _check_utf8("pieces", pieces)


def check_ids(ids: Iterable[Sequence[int]], size: int) -> list[list[int]]:
    """Returns rows of ids as lists.

    Args:
        ids: Rows of ids, lists or arrays.
        size: How many ids there are.

    Raises:
        InputError: A row has something else than ids from 0 to `size` - 1.

    Example:
        >>> check_ids([np.array([1, 2])], 3)
        [[1, 2]]
    """
    rows = [np.asarray(row) for row in ids]
    for number, row in enumerate(rows):
        if row.ndim != 1 or (row.size and not np.issubdtype(row.dtype, np.integer)):
            raise InputError(
                f"A text's ids are a row of whole numbers. Received: text {number}, an array of "
                f"{row.dtype} with {row.ndim} dimensions. Give a list of whole numbers for every "
                "text."
            )
        if row.size and (row.min() < 0 or row.max() >= size):
            raise InputError(
                f"Ids are outside this tokenizer's 0 to {size - 1}. Received: text {number} with "
                f"ids from {row.min()} to {row.max()}. Use the tokenizer that made them."
            )
    return [row.tolist() for row in rows]


def special_ids(ids: Mapping[str, int], special: Mapping[str, str | None], name: str) -> list[int]:
    """Returns the ids of special pieces, given by what they are for.

    Args:
        ids: The id of every piece.
        special: The special pieces; where one is None, its key is the piece.
        name: Of the vocabulary, for the message.

    Raises:
        InputError: The vocabulary lacks some.

    Example:
        >>> special_ids({"[PAD]": 0}, {"pad": "[PAD]"}, "vocabulary")
        [0]
    """
    pieces = [key if piece is None else piece for key, piece in special.items()]
    missing = [piece for piece in pieces if piece not in ids]
    if missing:
        raise InputError(
            f"The {name} lacks special pieces. Received: {len(ids)} pieces without "
            f"{', '.join(map(repr, missing))}. Add what is missing, or name the pieces it has "
            "instead."
        )
    return [ids[piece] for piece in pieces]


def split_at(special: Sequence[str], text: str) -> list[str]:
    """Splits a text before and after special pieces; of several that fit, the longest counts.

    Example:
        >>> split_at(("<s>",), "a<s>b")
        ['a', '<s>', 'b']
    """
    parts = _alternatives(tuple(special)).split(text) if special else [text]
    return [part for part in parts if part]


def read_text(path: str | os.PathLike) -> str:
    """Returns the text of a tokenizer's file.

    Raises:
        InputError: The file cannot be read, or is not UTF-8.

    Example:
        >>> read_text("merges.txt").splitlines()[0]
        '#version: 0.2'
    """
    name = os.fspath(path)
    try:
        return Path(path).read_bytes().decode()
    except OSError as error:
        raise InputError(
            f"{error.strerror}. Received: tokenizer file {name}. Give the published file."
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"The file is not UTF-8. Received: tokenizer file {name}, byte {error.start}. Give "
            "the published file."
        ) from None


def _check_utf8(name, texts):
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The {name} contain a lone surrogate. Received: {error.object[error.start]!r}. Read "
            "the text as UTF-8."
        ) from None


@cache
def _alternatives(special):
    by_length = sorted(special, key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, by_length))})")
