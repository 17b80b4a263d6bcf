"""Files of rows of text, read as streams, and their splits."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from tfcompress.errors import InputError

Test = Callable[[str], bool]

_MOST_HELD_OUT = 10_000
_BLOCK = 1 << 20
_LARGEST = (1 << 64) - 1


class RowFiles(Protocol):
    """Files of rows, such as sentence pairs.

    Attributes:
        columns: How many texts a row has.
        unit: What rows are called, such as "pairs".
    """

    columns: int
    unit: str

    @property
    def paths(self) -> Sequence[Path]:
        """All the files."""
        ...

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Reads the rows in their order.

        Raises:
            InputError: When the reading comes to what cannot be used.
        """
        ...


class HashedSplits:
    """Splits rows by the hash of their first text, whatever their order.

    A hundredth of the distinct first texts, at least one and at most 10,000, goes to validation,
    and as many to test.

    Args:
        files: All the rows.
        texts: What the first texts are called in errors.

    Raises:
        InputError: There are fewer than three distinct first texts.
    """

    def __init__(self, files: RowFiles, texts: str):
        # Enough of the smallest hashes are kept, however many there are.
        smallest, is_large = np.zeros(0, np.uint64), False
        hashes = (_hash(row[0]) for row in files.rows())
        while len(block := np.fromiter(islice(hashes, _BLOCK), np.uint64)):
            smallest = np.unique(np.concatenate([smallest, block]))
            is_large = is_large or len(smallest) >= 100 * _MOST_HELD_OUT
            if is_large:
                smallest = smallest[: 2 * _MOST_HELD_OUT]
        if len(smallest) < 3:
            raise InputError(
                f"Training, validation and test splits need at least 3 distinct {texts}. "
                f"Received: {len(smallest)} in {', '.join(map(str, files.paths))}. Give more."
            )
        size = _MOST_HELD_OUT if is_large else max(1, len(smallest) // 100)
        first, second = int(smallest[size - 1]), int(smallest[2 * size - 1])
        self._bounds = {
            "valid": (0, first),
            "test": (first + 1, second),
            "train": (second + 1, _LARGEST),
        }

    def test(self, split: str) -> Test:
        """Returns what tells whether a first text is in a split.

        Args:
            split: "train", "valid" or "test".
        """
        low, high = self._bounds[split]
        return lambda text: low <= _hash(text) <= high


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
