"""Reads the manifest of a bundle, each value checked as it is taken."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from tfcompress.constants import FORMAT
from tfcompress.errors import InputError
from tfcompress.files import read_json

MANIFEST = "manifest.json"
MODEL = "model.tflite"
_AGAIN = "Export or copy the bundle again"
_ALTERED = "A file of the bundle is truncated or altered"
_PLAIN_NAME = re.compile(r"(?!\.)[^/\\:\0]+")
_RUNS = {
    "translation": "a translation model, which Translator runs",
    "text_encoder": "a text encoder, which TextModel runs",
    "language_model": "a language model, which TextGenerator runs",
    "keras": "a Keras model, which KerasModel runs",
}


class Manifest:
    """What a bundle's manifest says.

    Args:
        folder: The bundle's folder.
        model_type: What type of model it must be.

    Attributes:
        folder: The bundle's folder.
        path: The manifest's file.
        values: All that it says.

    Raises:
        InputError: The folder or the manifest is missing, or the manifest is none, or of another
            format or type of model.

    Example:

    >>> Manifest("en-de", "translation").take("limits", "max_source_length")
    256
    """

    def __init__(self, folder: str | os.PathLike, model_type: str):
        self.folder = Path(folder)
        self.path = self.folder / MANIFEST
        self.values = _read(self.folder)
        actual = self.values.get("model_type")
        runs = _RUNS.get(actual) if isinstance(actual, str) else None
        if actual != model_type and runs and self.values.get("format") == FORMAT:
            raise InputError(
                f"The bundle holds another type of model. Received: {self.folder} of {runs}. Use "
                "that."
            )
        for key, expected in {"format": FORMAT, "model_type": model_type}.items():
            if self.values.get(key) != expected:
                raise InputError(
                    f"The bundle is of another version. Received: {self.path} with "
                    f"{key}={self.values.get(key)!r} instead of {expected!r}. Export the model "
                    "again with this version, or run it with the version that wrote it."
                )

    def take(self, *keys: str, value_type: Any = int, check=None) -> Any:
        """Returns the value under some keys.

        Args:
            *keys: One key for each level.
            value_type: The type that it must have; integers must be positive by default.
            check: Says whether the value is possible.

        Raises:
            InputError: The value is missing or impossible.
        """
        name = ".".join(keys)
        value: Any = self.values
        for key in keys:
            if not isinstance(value, dict) or key not in value:
                raise InputError(
                    f"The manifest lacks a value. Received: {self.path} without `{name}`. {_AGAIN}."
                )
            value = value[key]
        check = check or (is_size if value_type is int else lambda value: True)
        # Truth values are no numbers.
        is_bool = isinstance(value, bool)
        has_type = isinstance(value, value_type) and (not is_bool or value_type is bool)
        if not has_type or not check(value):
            raise InputError(
                f"The manifest has an impossible value. Received: {self.path}, where `{name}` "
                f"cannot be {value!r}. {_AGAIN}."
            )
        return value

    def check_files(self, verify: bool) -> dict[str, Any]:
        """Makes sure that all files are there, and the model among them.

        Args:
            verify: Whether to compare the size and SHA-256 of every file with the manifest.

        Returns:
            What the manifest says of the files, by name.

        Raises:
            InputError: A file is missing, outside the folder, truncated or altered.
        """
        files = self.take("files", value_type=dict, check=bool)
        for name in dict.fromkeys((MODEL, *files)):
            size = self.take("files", name, "bytes")
            self._check_file(name, size, self.take("files", name, "sha256", value_type=str), verify)
        return files

    def total_size(self) -> int:
        """Returns the bytes of all files together."""
        names = (MANIFEST, *self.values["files"])
        return sum((self.folder / name).stat().st_size for name in names)

    def _check_file(self, name: str, size: int, sha256: str, verify: bool) -> None:
        path = self.folder / name
        if not _PLAIN_NAME.fullmatch(name):
            raise InputError(
                "The files of a bundle must lie in its own folder. Received: "
                f"{self.path} with the file {name!r}. {_AGAIN}."
            )
        if not path.is_file():
            raise InputError(f"A file of the bundle is missing. Received: {path}. {_AGAIN}.")
        if not verify:
            return
        if path.stat().st_size != size:
            raise InputError(
                f"{_ALTERED}. Received: {path} of {path.stat().st_size} bytes instead of {size}. "
                f"{_AGAIN}."
            )
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise InputError(
                    f"{_ALTERED}. Received: {path}, whose SHA-256 differs from the manifest's. "
                    f"{_AGAIN}."
                )


def bundle_model_type(folder: str | os.PathLike) -> str:
    """Returns the type of model in a bundle, such as "translation" or "text_encoder".

    Args:
        folder: The bundle's folder.

    Raises:
        InputError: The folder is no bundle.
    """
    return str(_read(Path(folder)).get("model_type"))


def is_size(value: int) -> bool:
    """Returns whether a whole number can be a size."""
    return value >= 1


def are_names(value: list) -> bool:
    """Returns whether a list holds texts only."""
    return all(isinstance(name, str) for name in value)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not folder.is_dir():
        raise InputError(
            f"A bundle must be a folder. Received: {folder}. Give the folder that export wrote."
        )
    try:
        manifest = read_json(path)
    except FileNotFoundError:
        raise InputError(
            f"A bundle must have a {MANIFEST}. Received: {folder} without. Give the folder that "
            "export wrote."
        ) from None
    except InputError as error:
        raise InputError(
            f"The manifest cannot be read. Received: {str(error).rstrip('.')}. {_AGAIN}."
        ) from None
    if not isinstance(manifest, dict):
        raise InputError(f"The manifest must be a JSON object. Received: {path}. {_AGAIN}.")
    return manifest
