"""What exporting a model means, whatever its type: check, trace, write, verify."""

import abc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tfcompress.constants import FORMAT
from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import new_folder, write_manifest
from tfcompress.export.errors import ExportError
from tfcompress.export.graph.model_file import check_finite, producer
from tfcompress.export.graph.size import check_convertible
from tfcompress.export.options import ExportOptions


class Exporter(abc.ABC):
    """Exports one type of model.

    Args:
        model: The model.
        options: How to export it.
    """

    # The type of model, as manifests say it.
    model_type: ClassVar[str]

    def __init__(self, model: Any, options: ExportOptions):
        self.model = model
        self.options = options

    @property
    def keras_model(self) -> Any:
        """The Keras model whose weights are exported."""
        return self.model

    def export(self, path: str | os.PathLike) -> dict[str, Any]:
        """Writes the bundle and returns its manifest.

        Args:
            path: Its folder, which appears complete or not at all.

        Raises:
            InputError: If an option is wrong, or the bundle exists or cannot be written.
            ExportError: If the model has operations that LiteRT lacks, or the bundle does not
                compute what the model does.
        """
        self.options.check_model_type(self.model_type)
        self.options.check_runtime()
        self.check()
        check_convertible(self.keras_model.count_params())
        check_finite(self.keras_model)
        self.trace()
        with new_folder(path, force=self.options.force) as folder:
            manifest = {
                "format": FORMAT,
                "model_type": self.model_type,
                "producer": producer(),
                **self.write(folder),
                "parameters": self.keras_model.count_params(),
                **self.describe(),
            }
            # The runtime that compares the bundle reads its manifest.
            write_manifest(folder, manifest)
            try:
                manifest["parity"] = self.compare(folder)
            except (InputError, RuntimeError) as error:
                reason = str(error).splitlines()[0].rstrip(".")
                raise ExportError(
                    f"LiteRT cannot run the exported model. Received: {reason}. Replace its "
                    "unusual layers."
                ) from error
            self.check_parity(manifest["parity"])
            return write_manifest(folder, manifest)

    @abc.abstractmethod
    def check(self) -> None:
        """Makes sure that model and options fit together, and reads the samples."""

    @abc.abstractmethod
    def trace(self) -> None:
        """Makes the functions to export, of the model in float32."""

    @abc.abstractmethod
    def write(self, folder: Path) -> Mapping[str, Any]:
        """Writes `model.tflite` and what lies beside it.

        Args:
            folder: The bundle's folder.

        Returns:
            What the manifest says of these files.
        """

    @abc.abstractmethod
    def describe(self) -> Mapping[str, Any]:
        """Returns what else the manifest says: limits, ids, results, state."""

    @abc.abstractmethod
    def compare(self, folder: Path) -> dict[str, Any]:
        """Returns how far bundle and model differ.

        Args:
            folder: The bundle.
        """

    @abc.abstractmethod
    def check_parity(self, metrics: Mapping[str, Any]) -> None:
        """Makes sure that the bundle computes what the model does.

        Args:
            metrics: What `compare` returned.

        Raises:
            ExportError: If it does not.
        """
