"""A bundle: the folder that export writes and a device runs."""

import abc
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from tfcompress.runtime.manifest import MODEL, Manifest, are_names


@dataclass(frozen=True, kw_only=True)
class Bundle(abc.ABC):
    """An opened bundle: its manifest, and what the runtime needs of it by name.

    Attributes:
        path: The folder.
        manifest: The whole manifest.
        custom_ops: Names of the custom operations that the model needs.
        size: Bytes of all files together.
    """

    path: Path
    manifest: dict[str, Any]
    custom_ops: tuple[str, ...]
    size: int

    # The type of model, as manifests say it.
    model_type: ClassVar[str]

    @property
    def model(self) -> Path:
        """The LiteRT model."""
        return self.path / MODEL

    @classmethod
    def open(cls, path: str | os.PathLike, verify: bool = True) -> Self:
        """Opens a bundle of this type of model; see `open_bundle`.

        Args:
            path: The folder.
            verify: Whether to compare all files with the manifest.

        Raises:
            InputError: The bundle is incomplete or altered, or of another type of model.
        """
        folder = Path(path)
        manifest = Manifest(folder, cls.model_type)
        manifest.check_files(verify)
        return cls(
            path=folder,
            manifest=manifest.values,
            **cls._read(manifest),
            custom_ops=tuple(manifest.take("custom_ops", value_type=list, check=are_names)),
            size=manifest.total_size(),
        )

    @classmethod
    @abc.abstractmethod
    def _read(cls, manifest: Manifest) -> dict[str, Any]:
        """Returns the attributes of this type of bundle."""
