"""Results in the order of their making, each kept as it is made."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfcompress.digests import digest
from tfcompress.files import replace_file


class Journal:
    """Texts in a file, each with its number and a digest, so that none can be lost unseen.

    Opened again it has those before the first that is not whole; the rest is cut off.

    Args:
        path: The file.
        job: A digest of what the texts are made from.

    Attributes:
        count: The number of texts.
        is_other: Whether the file was begun for another job; then it is left alone until `restart`.

    Example:

    >>> with Journal("new.journal", "job") as journal:
    ...     journal.append(["one", "two"])
    ...     [*journal]
    ['one', 'two']
    """

    def __init__(self, path: str | os.PathLike, job: str):
        self.count = 0
        self.path = Path(path)
        self._job = job
        if not self.path.exists() or not self.path.stat().st_size:
            self.restart()
        self.is_other = not self._begin()

    def __enter__(self) -> "Journal":
        self._file = self.path.open("ab")
        return self

    def __exit__(self, *details: object) -> None:
        self._file.close()

    def restart(self) -> None:
        """Empties the file."""
        replace_file(self.path, self._header())
        self.count, self.is_other = 0, False

    def append(self, texts: Sequence[str]) -> None:
        """Adds texts; they are on the disk afterwards."""
        for text in texts:
            self._file.write(self._entry(self.count, text))
            self.count += 1
        self._file.flush()
        os.fsync(self._file.fileno())

    def __iter__(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            file.readline()
            for _ in range(self.count):
                yield _text(file.readline()) or ""

    def _begin(self):
        """Counts entries as far as they are whole, and cuts off the rest."""
        with self.path.open("rb") as file:
            header = file.readline()
            size = len(header)
            for entry in file:
                text = _text(entry)
                if text is None or entry != self._entry(self.count, text):
                    break
                self.count += 1
                size += len(entry)
        if header != self._header() and not self.count:
            return False
        if size < self.path.stat().st_size:
            os.truncate(self.path, size)
        return True

    def _header(self):
        return f"{self._job}\n".encode()

    def _entry(self, number, text):
        checked = f"{number}\t{json.dumps(text, ensure_ascii=False)}"
        return f"{digest([self._job, checked])}\t{checked}\n".encode()


def _text(entry) -> str | None:
    try:
        text = json.loads(entry.split(b"\t", 2)[2])
    except (ValueError, IndexError):
        return None
    return text if isinstance(text, str) else None
