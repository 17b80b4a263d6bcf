"""What a stage's result depends on, and whether it is still what the stage wrote."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.digests import CorruptFileError, check_file, describe_file, digest
from tfcompress.errors import InputError
from tfcompress.models.preset_folder import CONFIG_FILE, WEIGHTS_FILE

Files = dict[str, dict[str, Any]]


def describe_files(folder: Path, names: Iterable[str]) -> Files:
    """Returns the size and the SHA-256 of files, by their place in a folder.

    Args:
        folder: Where they lie.
        names: Files, or folders whose files count.

    Raises:
        InputError: If one cannot be read.
    """
    paths = []
    for name in names:
        path = folder / name
        paths += sorted(path.rglob("*")) if path.is_dir() else [path]
    return {
        path.relative_to(folder).as_posix(): describe_file(path)
        for path in paths
        if not path.is_dir()
    }


def problem(folder: Path, files: Files) -> str | None:
    """Returns what is wrong with files, or None where they are as they were.

    Args:
        folder: Where they lie.
        files: What `describe_files` returned.

    Raises:
        InputError: If one is there and cannot be read.
    """
    for name, expected in files.items():
        try:
            check_file(folder / name, expected)
        except CorruptFileError as error:
            return f"{(Path(name).parent / str(error)).as_posix()}"
    return None


def content_digest(path: str | Path) -> str:
    """Returns a digest of a file, or of the files of a folder, wherever they lie.

    Args:
        path: The file or folder.

    Raises:
        InputError: If one cannot be read.
    """
    path = Path(path)
    if path.is_file():
        return digest(describe_file(path))
    return digest(describe_files(path, sorted(one.name for one in path.iterdir())))


def model_digest(folder: str | Path) -> str:
    """Returns a digest of the configuration and the weights of a saved model.

    Unlike its bytes, it is the same whenever the model is saved.

    Args:
        folder: What `save_preset` wrote.

    Raises:
        InputError: If it cannot be read.
    """
    import h5py

    folder = Path(folder)
    arrays: dict[str, Any] = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            array = np.ascontiguousarray(item[()])
            arrays[name] = [array.shape, str(array.dtype), hashlib.sha256(array).hexdigest()]

    try:
        with h5py.File(folder / WEIGHTS_FILE) as file:
            file.visititems(add)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"The weights of a model cannot be read. Received: {folder / WEIGHTS_FILE} "
            f"({' '.join(str(error).split())}). Save the model again."
        ) from error
    return digest([(folder / CONFIG_FILE).read_text("utf-8"), arrays])


def differences(one: Mapping, other: Mapping, path: str = "") -> list[str]:
    """Returns the keys under which two mappings differ."""
    keys = []
    for key in sorted({*one, *other}):
        where = f"{path}.{key}" if path else key
        a, b = one.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            keys += differences(a, b, where)
        elif a != b:
            keys.append(where)
    return keys
