"""Files: read with limits, written so that an interruption never leaves half of one."""

import contextlib
import errno
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from tfcompress.errors import InputError

# No settings and no vocabulary are larger.
_MOST_JSON = 2**28
# What `tempfile` adds to the names that this library gives it: `.NAME.` and eight characters.
_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")


def replace_file(path: str | os.PathLike, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Writes a file under a temporary name beside it, then renames it.

    The content is on the disk before the name is, so that a power cut leaves the one or the other.

    Args:
        path: The file; an existing one is replaced. Its folder is made if needed.
        content: The bytes, or a function that writes them to an open file.

    Raises:
        InputError: If the file cannot be written, for instance because the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                if callable(content):
                    content(file)
                else:
                    file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
            sync(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"A file cannot be written ({reason}). Received: {path}.") from error


def sync(path: str | os.PathLike) -> None:
    """Waits until a file, or the names in a folder, are on the disk.

    Args:
        path: The file or folder.

    Raises:
        OSError: If the disk fails.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: str | os.PathLike) -> None:
    """Waits until a folder with everything in it is on the disk.

    Args:
        folder: The folder.

    Raises:
        OSError: If the disk fails.
    """
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(os.path.join(place, name))
        sync(place)


def is_leftover(name: str) -> bool:
    """Returns whether a name is one of those that files have before they are complete."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_leftovers(folder: str | os.PathLike, name: str = "") -> list[Path]:
    """Removes what killed processes left in a folder under temporary names.

    Only for what no other process writes.

    Args:
        folder: The folder; those in it are left alone.
        name: What the names of the files begin with that were to be written.

    Returns:
        What was removed.
    """
    removed = []
    for path in Path(folder).glob(".*"):
        if path.name.startswith(f".{name}") and is_leftover(path.name):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def check_writable(path: str | os.PathLike) -> None:
    """Makes sure, before long work, that there will be a place for its result.

    Args:
        path: A file or folder that is to be written.

    Raises:
        InputError: If the folder that it shall lie in is none, or cannot be written to.
    """
    parent = Path(path).absolute().parent
    try:
        while not parent.exists():
            parent = parent.parent
        if not parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        # Tried, as root may write by permission where the file system is read-only.
        with tempfile.TemporaryFile(dir=parent):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"Nothing can be written there ({reason}). Received: {path}. Give another place."
        ) from error


def read_regular(path: str | os.PathLike, *, most_bytes: int) -> bytes:
    """Returns the content of a file that others wrote: neither endless nor without measure.

    Args:
        path: The file; a link to one will do.
        most_bytes: What it may have at most.

    Raises:
        OSError: If it cannot be read, is a device or pipe, or larger.
        ValueError: If its name holds NUL.
    """
    # Before it is opened, as a pipe would wait for a writer.
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    if status.st_size > most_bytes:
        raise OSError(errno.EFBIG, f"More than {most_bytes:,} bytes")
    return Path(path).read_bytes()


def read_utf8(path: str | os.PathLike, *, most_bytes: int | None = None) -> str:
    """Returns the text of a file, without a byte order mark.

    Args:
        path: The file.
        most_bytes: What it may have at most.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it cannot be read, is no UTF-8, or is larger.
    """
    with _readable(path), Path(path).open("rb") as file:
        content = file.read() if most_bytes is None else file.read(most_bytes + 1)
    if most_bytes is not None and len(content) > most_bytes:
        raise InputError(
            f"The file must have at most {most_bytes:,} bytes. Received: {path}, which is larger."
        )
    return _decoded(path, content)


@contextlib.contextmanager
def _readable(path):
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name that holds NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"A file cannot be read ({reason}). Received: {path}.") from error


def _decoded(path, content):
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"A text file must be in UTF-8 ({error}). Received: {path}.") from error


def read_json(path: str | os.PathLike) -> Any:
    """Returns what a JSON file holds.

    Args:
        path: The file, in UTF-8.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it cannot be read, is no JSON, or is nested too deeply.
    """
    with _readable(path):
        content = read_regular(path, most_bytes=_MOST_JSON)
    text = _decoded(path, content)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The file must be JSON ({error}). Received: {path}.") from error
