"""One process a folder."""

import contextlib
import fcntl
import json
import os
import socket
from pathlib import Path
from typing import BinaryIO

from tfcompress.errors import InputError


class FolderLock:
    """Keeps other processes out of a folder, or away from a file, while the block runs.

    The operating system gives the lock back when its process ends, however it ends, so that there
    is none that nobody holds. The lock's file says who holds it.

    Args:
        path: The lock's file; its folder must exist.
        subject: What is locked, for the message.

    Raises:
        InputError: On entry, if another process has the lock, or there can be none.

    Example:

    >>> with FolderLock("corpus/.lock", "corpus"):
    ...     print(holder("corpus/.lock").split()[0])
    process
    """

    def __init__(self, path: str | os.PathLike, subject: str | os.PathLike):
        self.path = Path(path)
        self.subject = subject
        self._file: BinaryIO | None = None

    def __enter__(self) -> "FolderLock":
        try:
            self._file = self._locked()
        except BlockingIOError:
            raise InputError(
                f"Another process works here. Received: {self.subject}, with "
                f"{_note(self.path)}. Wait until it ends, or choose another place."
            ) from None
        except OSError as error:
            raise InputError(
                f"There can be no lock. Received: {self.path} ({error.strerror}). Give a place "
                "that can be written to, on a file system with locks."
            ) from error
        with contextlib.suppress(OSError):  # a full disk: the lock holds without a note
            note = {"process": os.getpid(), "host": socket.gethostname()}
            self._file.truncate(0)
            self._file.write(json.dumps(note).encode())
            self._file.flush()
        return self

    def __exit__(self, *details: object) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self._file.close()
            self._file = None

    def _locked(self):
        while True:
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it may just have removed the file.
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path)):
                        return file
            except BaseException:
                file.close()
                raise
            file.close()


def holder(path: str | os.PathLike) -> str | None:
    """Returns who holds a lock, such as "process 4711 on alpha", or None where nobody does.

    Args:
        path: The lock's file.
    """
    with contextlib.suppress(OSError), open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _note(path)
    return None


def _note(path):
    try:
        note = json.loads(Path(path).read_bytes())
        return f"process {note['process']} on {note['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "an unknown process"
