"""Files with a line for each line of a corpus, made so that no kill loses much."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.files import remove_leftovers, replace_file
from tfcompress.journal import Journal
from tfcompress.locks import FolderLock
from tfcompress.text.lines import FileLines


def journaled_lines(
    path: str | os.PathLike,
    make: Callable[[int], Iterator[Sequence[str]]],
    *,
    count: int,
    job: str,
    origin: str,
    progress: Callable[[int, int], None] | None = None,
) -> FileLines:
    """Makes the lines of a file, or those that are missing or damaged.

    They are kept as they are made, each with its number and a digest, in a journal beside the file.
    A finished file is read and returned.

    Args:
        path: The file.
        make: Gives the lines from one on, some at a time.
        count: How many lines there are.
        job: A digest of what the lines are made from.
        origin: What they are made from, in words.
        progress: Called with the number done and the number of all.

    Returns:
        The lines, which are read from the file when they are needed.

    Raises:
        InputError: If the file was begun from something else or is somebody else's, or another
            process writes it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal_path = path.with_name(f"{path.name}.journal")
    if path.exists() and not (journal_path.exists() and journal_path.stat().st_size):
        raise InputError(
            f"The file is there and its journal is not. Received: {path} without "
            f"{journal_path.name}. Choose another file, or remove it."
        )
    with FolderLock(path.with_name(f"{path.name}.lock"), path):
        remove_leftovers(path.parent, path.name)
        journal = Journal(journal_path, job)
        if journal.is_other:
            raise InputError(
                f"The file was begun with {origin}. Received: {path}. Choose another file, or "
                f"remove it and {journal_path.name}."
            )
        with journal:
            if journal.count < count:
                for lines in make(journal.count):
                    journal.append(lines)
                    if progress is not None:
                        progress(journal.count, count)
            lines = FileLines(path, count)
            if not lines.are(journal):
                replace_file(path, lambda file: _write(file, journal))
    return lines


def _write(file, lines):
    for line in lines:
        file.write(f"{line}\n".encode())
