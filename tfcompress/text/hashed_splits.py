"""Splits of files that have none, by the hashes of their rows."""

import hashlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from tfcompress.errors import InputError
from tfcompress.text.row_files import RowFiles, Test
from tfcompress.text.text_stream import HeldOut, TextStream, file_states, read_index

_MOST_HELD_OUT = 10_000
_BLOCK = 1 << 20


def hashed_splits(
    files: Callable[[Test | None], RowFiles], texts: str, *, index: str | Path | None = None
) -> TextStream:
    """Splits rows by the hash of their first text, whatever their order.

    A hundredth of the distinct first texts, at least one and at most 10,000, goes to validation,
    and as many to test.

    Args:
        files: Returns the files with those rows that count, or with all.
        texts: What the first texts are called in errors.
        index: Where the index of an earlier reading lies, if there was one. While the files have
            their sizes and times, they are not read for what it says.

    Returns:
        The training rows. What is held out is in its index, and in its attribute `held_out`.

    Raises:
        InputError: A file cannot be used, or there are fewer than three distinct first texts.

    Example:

    >>> from tfcompress.text.text_corpora import PlainFiles
    >>> path = Path("corpus/train.en")
    >>> stream = hashed_splits(lambda test: PlainFiles([path], test), "texts")
    >>> len(stream.held_out.splits["test"][0]) > 0
    True
    """
    former = read_index(index)
    if former is not None and former.files == file_states(files(None).paths):
        held_out = former.held_out or _held_out(files, texts)
    else:
        held_out = _held_out(files, texts)
    largest = held_out.largest_hash
    return TextStream([files(lambda text: _hash(text) > largest)], index=index, held_out=held_out)


def _held_out(files, texts) -> HeldOut:
    # Enough of the smallest hashes are kept, however many there are.
    smallest, is_large = np.zeros(0, np.uint64), False
    hashes = (_hash(row[0]) for row in files(None).rows())
    while len(block := np.fromiter(islice(hashes, _BLOCK), np.uint64)):
        smallest = np.unique(np.concatenate([smallest, block]))
        is_large = is_large or len(smallest) >= 100 * _MOST_HELD_OUT
        if is_large:
            smallest = smallest[: 2 * _MOST_HELD_OUT]
    if len(smallest) < 3:
        raise InputError(
            f"Training, validation and test splits need at least 3 distinct {texts}. Received: "
            f"{len(smallest)} in {', '.join(map(str, files(None).paths))}. Give more."
        )
    size = _MOST_HELD_OUT if is_large else max(1, len(smallest) // 100)
    first, second = int(smallest[size - 1]), int(smallest[2 * size - 1])
    rows: dict[str, list[tuple[str, ...]]] = {"valid": [], "test": []}
    for row in files(lambda text: _hash(text) <= second).rows():
        rows["valid" if _hash(row[0]) <= first else "test"].append(row)
    splits = {split: [[*column] for column in zip(*found)] for split, found in rows.items()}
    return HeldOut(second, splits)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
