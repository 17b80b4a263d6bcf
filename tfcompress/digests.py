"""Digests: whether a value or a file is still what it was."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.files import read_json, replace_file


class CorruptFileError(Exception):
    """Raised for a file that is not as it was written; the message names it."""


def digest(value: Any) -> str:
    """Returns 16 hexadecimal digits that change with a value.

    Args:
        value: What JSON can hold.

    Example:

    >>> digest([1, 2]) == digest((1, 2))
    True
    """
    content = json.dumps(value, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def texts_digest(texts: Iterable[str]) -> str:
    """Returns 64 hexadecimal digits that change with any text, or with where one ends.

    Args:
        texts: The texts, which are gone through once.

    Example:

    >>> texts_digest(["ab", "c"]) == texts_digest(["a", "bc"])
    False
    """
    content = hashlib.sha256()
    for text in texts:
        encoded = text.encode()
        content.update(len(encoded).to_bytes(8, "little"))
        content.update(encoded)
    return content.hexdigest()


def describe_file(path: str | os.PathLike) -> dict[str, Any]:
    """Returns the size and the SHA-256 of a file, as `bytes` and `sha256`.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return {"bytes": os.fstat(file.fileno()).st_size, "sha256": sha256}
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(
            f"A file cannot be read. Received: {path} ({error.strerror}). Check its permissions "
            "and the disk."
        ) from error


def check_file(path: str | os.PathLike, expected: dict[str, Any]) -> None:
    """Makes sure that a file is still what it was.

    Args:
        path: The file.
        expected: What `describe_file` returned.

    Raises:
        CorruptFileError: If it is missing or differs.
        InputError: If it cannot be read.
    """
    name = Path(path).name
    try:
        actual = describe_file(path)
    except FileNotFoundError:
        raise CorruptFileError(f"{name} is missing") from None
    if actual != expected:
        truncated = actual["bytes"] < expected["bytes"]
        raise CorruptFileError(f"{name} is {'truncated' if truncated else 'corrupt'}")


def write_checked_json(path: str | os.PathLike, content: Any) -> None:
    """Writes JSON with its digest.

    Args:
        path: The file; an existing one is replaced.
        content: What to write.

    Raises:
        InputError: If the file cannot be written.
    """
    text = json.dumps({"digest": digest(content), "content": content}, indent=1)
    replace_file(path, f"{text}\n".encode())


def read_checked_json(path: str | os.PathLike) -> Any:
    """Returns what `write_checked_json` wrote.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If there is no such file.
        CorruptFileError: If it is not as it was written.
        InputError: If it cannot be read.
    """
    try:
        wrapped = read_json(path)
    except InputError as error:
        if isinstance(error.__cause__, OSError):
            raise
        raise CorruptFileError(f"{Path(path).name} is corrupt") from error
    if not isinstance(wrapped, dict) or wrapped.get("digest") != digest(wrapped.get("content")):
        raise CorruptFileError(f"{Path(path).name} is corrupt")
    return wrapped["content"]
