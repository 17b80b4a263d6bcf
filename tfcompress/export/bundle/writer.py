"""Writes a bundle's folder, complete or not at all."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.files import check_writable, sync, sync_tree

MANIFEST = "manifest.json"


@contextlib.contextmanager
def new_folder(path: str | os.PathLike, *, force: bool = False) -> Iterator[Path]:
    """Gives a temporary folder that takes the name `path` when the block succeeds.

    If the block fails or is interrupted, the temporary folder is removed and `path` is as before.

    Args:
        path: The folder to create; missing parents are created too.
        force: Whether to replace an existing bundle.

    Raises:
        InputError: If something is in the way (a folder that is no bundle even with `force`), or
            the files cannot be written, for instance because the disk is full.

    Example:

    >>> with new_folder("new-bundle") as folder:
    ...     _ = (folder / "model.tflite").write_bytes(b"TFL3")
    """
    path = Path(path)
    check_target(path, force)
    created = []
    try:
        created = _make_parents(path)
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            yield folder
            folder.chmod(0o755)
            sync_tree(folder)
            _replace(folder, path)
            sync(path.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        _remove(created)
        raise _write_error(path, error) from error
    except BaseException:
        _remove(created)
        raise


def write_manifest(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Writes the manifest with the size and SHA-256 of every other file.

    Args:
        folder: The bundle's folder, with all its files.
        manifest: Everything but `files`.

    Returns:
        The complete manifest.
    """
    files = {}
    for file in sorted(folder.iterdir()):
        if file.name != MANIFEST:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            files[file.name] = {"bytes": file.stat().st_size, "sha256": digest}
    manifest = {**manifest, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def check_target(path: str | os.PathLike, force: bool) -> None:
    """Makes sure that nothing is in the way of a bundle.

    Args:
        path: The folder to make.
        force: Whether to replace an existing bundle.

    Raises:
        InputError: If something is.
    """
    path = Path(path)
    check_writable(path)
    if not os.path.lexists(path):
        return
    if not force:
        raise InputError(
            f"The path exists already. Received: {path}. Give another, or `force` to replace it."
        )
    if not path.is_dir() or (any(path.iterdir()) and not (path / MANIFEST).is_file()):
        raise InputError(f"Only a bundle is replaced. Received: {path}. Give another path.")


def _make_parents(path):
    """Makes the missing parents and returns them, the innermost first."""
    missing = [parent for parent in path.absolute().parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove(folders):
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _replace(folder, path):
    """Renames `folder` to `path`; an old bundle there is put aside first and then removed."""
    if not path.exists():
        folder.rename(path)
        return
    old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    path.replace(old)
    try:
        folder.rename(path)
    except BaseException:
        old.replace(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write_error(path, error):
    if error.errno == errno.ENOSPC:
        return InputError(
            f"The disk is full, nothing was written. Received: {path}. Free some space."
        )
    reason = error.strerror or error
    return InputError(
        f"The bundle cannot be written. Received: {path} ({reason}). Give another path."
    )
