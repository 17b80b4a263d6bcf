"""Finding rows that repeat earlier ones, in memory that does not grow with their number."""

import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfcompress.errors import InputError

_HELD = 1 << 20
_PARTS = 64


class Repetitions:
    """Notes rows by two keys of 64 bits each, and finds those that were there before.

    A million rows are held in memory; more lie in temporary files by their first key, of which one
    at a time is looked through.

    Args:
        by_both: Whether rows repeat each other if both keys are the same, not only the first.

    Example:

    >>> with Repetitions(by_both=False) as repetitions:
    ...     for number, keys in enumerate([(7, 1), (8, 1), (7, 1), (7, 2)]):
    ...         repetitions.add(number, *keys)
    ...     [(row.tolist(), same.tolist()) for row, same in repetitions.find()]
    [([2, 3], [True, False])]
    """

    def __init__(self, *, by_both: bool):
        self._by_both = by_both
        self._held = array("Q")
        self._folder: tempfile.TemporaryDirectory | None = None

    def __enter__(self) -> "Repetitions":
        return self

    def __exit__(self, *details: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, number: int, first: int, second: int) -> None:
        """Notes a row.

        Args:
            number: Its number, larger than those before.
            first: Its first key.
            second: Its second key.

        Raises:
            InputError: The temporary files cannot be written.
        """
        self._held.extend((number, first, second))
        if len(self._held) >= 3 * _HELD:
            self._put_away()

    def find(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Returns, some at a time, the numbers of the rows that repeat an earlier one.

        With them is whether their second key is that of the first of these rows.
        """
        if self._folder is None:
            yield self._repeated(self._rows())
            return
        self._put_away()
        for path in sorted(Path(self._folder.name).iterdir()):
            yield self._repeated(np.fromfile(path, np.uint64).reshape(-1, 3))

    def _rows(self):
        return np.frombuffer(self._held, np.uint64).reshape(-1, 3)

    def _put_away(self):
        rows = self._rows()
        parts = rows[:, 1] % _PARTS
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="tfcompress-")
            for part in np.unique(parts):
                with (Path(self._folder.name) / f"{part:02}").open("ab") as file:
                    file.write(rows[parts == part].tobytes())
        except OSError as error:
            raise InputError(
                f"A temporary file cannot be written ({error.strerror or error}). Received: "
                f"{tempfile.gettempdir()}. Make room, or name another folder in TMPDIR."
            ) from error
        self._held = array("Q")

    def _repeated(self, rows):
        keys = [rows[:, 2], rows[:, 1]] if self._by_both else [rows[:, 1]]
        rows = rows[np.lexsort(keys)]  # Of equal ones the earlier goes before.
        is_new = np.ones(len(rows), bool)
        is_new[1:] = (rows[1:, 1:] != rows[:-1, 1:])[:, : 1 + self._by_both].any(axis=1)
        first = np.maximum.accumulate(np.where(is_new, np.arange(len(rows)), 0))
        same = rows[first, 2] == rows[:, 2]
        return rows[~is_new, 0], same[~is_new]
