"""Writing files so that an interruption never leaves half of one."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tfcompress.errors import InputError


def replace_file(path: str | os.PathLike, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Writes a file under a temporary name beside it, then renames it.

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
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror or error}") from error
