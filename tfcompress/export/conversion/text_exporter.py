"""Exports models of text: what has a configuration, tokenizers and token ids."""

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.errors import InputError
from tfcompress.export.conversion.exporter import Exporter
from tfcompress.export.graph.model_file import Exported, Inputs, write_model
from tfcompress.export.options import ExportOptions, tokenizer_names
from tfcompress.models.precision import to_float32


class TextExporter(Exporter):
    """Exports a translation model or a text encoder; see `Exporter`."""

    def __init__(self, model: Any, options: ExportOptions):
        super().__init__(model, options)
        self.config = model.config

    @property
    def keras_model(self):
        return self.model.model

    def check(self):
        self.check_options()
        samples = self._ids("samples", self.options.samples)
        self._samples = self.random_samples() if samples is None else samples
        self._data = self._ids("representative_data", self.options.representative_data)

    def trace(self):
        self._float32 = to_float32(self.model)

    def write(self, folder):
        self._signatures = self.signatures(self._float32)
        inputs = [self.inputs(np.array(ids, np.int32)) for ids in self._data or ()]
        description = write_model(folder, self._signatures, self._float32, self.options, inputs)
        return {**description, **self.write_files(folder)}

    def describe(self):
        return {"architecture": self.config.to_mapping(), **self.interface(self._signatures)}

    def compare(self, folder):
        return self.parity(self._float32, folder, self._samples)

    @abc.abstractmethod
    def check_options(self) -> None:
        """Makes sure that tokenizers and options go with the model."""

    @abc.abstractmethod
    def encode(self, texts: Sequence[str]) -> list[list[int]] | None:
        """Returns texts as the model takes them, cut to its limit; None without a tokenizer."""

    @abc.abstractmethod
    def check_ids(self, name: str, samples: Any) -> list[list[int]]:
        """Returns token ids as lists.

        Args:
            name: The option that they are from.
            samples: The token ids of each text.

        Raises:
            InputError: If they are none, or none that the model takes.
        """

    @abc.abstractmethod
    def random_samples(self) -> list[list[int]]:
        """Returns random ids of texts of several lengths, always the same ones."""

    @abc.abstractmethod
    def inputs(self, ids: np.ndarray) -> Inputs:
        """Returns the arguments of `encode` for one text."""

    @abc.abstractmethod
    def signatures(self, model: Any) -> Exported:
        """Returns the functions to export of the model in float32."""

    @abc.abstractmethod
    def write_files(self, folder: Path) -> Mapping[str, Any]:
        """Writes what lies beside the model, and returns what the manifest says of it."""

    @abc.abstractmethod
    def interface(self, signatures: Any) -> Mapping[str, Any]:
        """Returns what the manifest says of limits, ids, results and state."""

    @abc.abstractmethod
    def parity(self, model: Any, folder: Path, samples: list[list[int]]) -> dict[str, Any]:
        """Returns how far the bundle and the model in float32 differ on samples."""

    def _ids(self, name, samples):
        if samples is None:
            return None
        samples = list(samples)
        if samples and all(isinstance(sample, str) for sample in samples):
            samples = self.encode(samples)
            if samples is None:
                raise InputError(
                    f"`{name}` of texts needs a tokenizer. Received: none. Give "
                    f"{' and '.join(tokenizer_names(self.model_type))}, or token ids."
                )
        return self.check_ids(name, samples)
