"""Bundles of one model that differ in what their weights are stored as."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfcompress.export.bundle.writer import MANIFEST, write_manifest
from tfcompress.export.conversion.convert import convert
from tfcompress.export.graph import flatbuffer
from tfcompress.export.graph.model_file import MODEL
from tfcompress.export.quantization.quantization_scheme import QuantizationScheme, WeightNames
from tfcompress.export.quantization.quantizer import quantize, type_chooser
from tfcompress.models import Seq2SeqTransformer
from tfcompress.models.precision import to_float32
from tfcompress.text import Tokenizer


class Variants:
    """Makes bundles of one model quickly: the model is converted once.

    Args:
        transformer: The model.
        folder: An existing folder for the bundles, which is the caller's to remove.
        source_tokenizer: The source's tokenizer.
        target_tokenizer: The target's.

    Attributes:
        names: Names of the model's weights.
        original: The folder of the float32 bundle.

    Raises:
        InputError: If the model cannot be exported.

    Example:

    >>> folder = Path("variants")
    >>> folder.mkdir()
    >>> variants = Variants(transformer, folder, tokenizer, tokenizer)
    >>> with variants.bundle({"embedding/": "int8"}) as path:
    ...     sizes = [one.joinpath(MODEL).stat().st_size for one in (path, variants.original)]
    >>> sizes[0] < sizes[1]
    True
    """

    def __init__(
        self,
        transformer: Seq2SeqTransformer,
        folder: Path,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
    ):
        self.names = WeightNames(to_float32(transformer))
        self.original = folder / "float32"
        convert(
            transformer,
            self.original,
            source_tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
            quantization="float32",
        )
        self._data = (self.original / MODEL).read_bytes()

    @contextlib.contextmanager
    def bundle(self, scheme: Mapping[str, str]) -> Iterator[Path]:
        """Gives the folder of a bundle while the block runs.

        Args:
            scheme: What weights are stored as; those that it does not name stay in float32.

        Raises:
            InputError: If the scheme is impossible.
        """
        scheme = {**scheme, ".": "float32"}
        model = flatbuffer.read(self._data)
        quantize(model, type_chooser("mixed", QuantizationScheme(scheme, self.names)))
        folder = Path(tempfile.mkdtemp(dir=self.original.parent))
        try:
            for file in self.original.iterdir():
                if file.name not in (MODEL, MANIFEST):
                    shutil.copy(file, folder)
            (folder / MODEL).write_bytes(flatbuffer.write(model))
            manifest = json.loads((self.original / MANIFEST).read_text())
            write_manifest(
                folder, manifest | {"quantization": "mixed", "quantization_scheme": scheme}
            )
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
