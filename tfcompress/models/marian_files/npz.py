"""The format of Marian's `.npz` files: an archive of arrays, and the options as one of them."""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.files import replace_file
from tfcompress.models.marian_files.content import (
    SETTINGS,
    MarianFile,
    corrupt,
    encode_settings,
    parse_settings,
    read_bytes,
)

# Weights compress to no less than this part, zeros and all; what claims more is no model.
_MOST_EXPANSION = 50
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class _DamageError(Exception):
    """What is wrong with an archive."""


# All that zipfile and numpy raise for archives that are not as they were written.
_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, TypeError, SyntaxError),
    *(
        _DamageError,
        KeyError,
        IndexError,
        OverflowError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
    ),
)


def read_npz(path: Path) -> MarianFile:
    """Reads an `.npz` file.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read, or is truncated or altered.

    Example:

    >>> sorted(read_npz(Path("student.npz")).tensors)[0]
    'Wemb'
    """
    content = read_bytes(path)
    tensors, settings = {}, None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _MOST_EXPANSION * len(content):
                raise _DamageError("it claims to expand without measure")
            for entry in entries:
                name = entry.filename.removesuffix(".npy")
                if not name.isprintable():
                    raise _DamageError(f"{name!r} is no name")
                if name in tensors or (name == SETTINGS and settings is not None):
                    raise _DamageError(f"{name} is there twice")
                array = _array(archive.read(entry), name)
                if name == SETTINGS:
                    settings = array.tobytes()
                elif array.dtype.kind != "f":
                    raise _DamageError(f"{name} is of type {array.dtype}, not float32")
                else:
                    tensors[name] = array.astype(np.float32)
    except _ERRORS as error:
        raise corrupt(path, " ".join(str(error).split())[:200] or type(error).__name__) from None
    if settings is None:
        raise corrupt(path, f"without {SETTINGS}")
    return MarianFile(tensors, parse_settings(settings, path))


def _array(data: bytes, name: str) -> np.ndarray:
    """An array of a file's own bytes, so that no header has memory given to it."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in _READERS:
        raise _DamageError(f"{name} has version {version}")
    shape, is_fortran, dtype = _READERS[version](file)
    if dtype.hasobject or dtype.itemsize > 8:
        raise _DamageError(f"{name} is of type {dtype}")
    count, rest = math.prod(shape), len(data) - file.tell()
    if min(shape, default=1) < 1 or count * dtype.itemsize != rest:
        raise _DamageError(f"{name} has the shape {list(shape)} and {rest:,} bytes")
    array = np.frombuffer(data, dtype, count, file.tell())
    return array.reshape(shape, order="F" if is_fortran else "C")


def write_npz(path: Path, tensors: Mapping[str, np.ndarray], settings: Mapping[str, Any]) -> None:
    """Writes an `.npz` file, which appears complete or not at all.

    Args:
        path: The file.
        tensors: Float32 arrays by Marian's names.
        settings: The options of the model.

    Raises:
        InputError: If it cannot be written.

    Example:

    >>> content = read_npz(Path("student.npz"))
    >>> write_npz(Path("copy.npz"), content.tensors, content.settings)
    """
    text = encode_settings(settings)
    arrays: dict[str, Any] = {**tensors, SETTINGS: np.frombuffer(text, np.int8)}
    replace_file(path, lambda file: np.savez(file, **arrays))
