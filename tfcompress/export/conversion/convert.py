"""Exports a trained model as a bundle."""

import dataclasses
import os
from typing import Any

from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import check_target
from tfcompress.export.conversion.exporter import Exporter
from tfcompress.export.conversion.keras_exporter import KerasExporter
from tfcompress.export.conversion.language_model_exporter import LanguageModelExporter
from tfcompress.export.conversion.text_encoder_exporter import TextEncoderExporter
from tfcompress.export.conversion.translation_exporter import TranslationExporter
from tfcompress.export.options import ExportOptions
from tfcompress.models import LanguageModel, Seq2SeqTransformer, TextEncoder

_EXPORTERS: dict[type, type[Exporter]] = {
    Seq2SeqTransformer: TranslationExporter,
    TextEncoder: TextEncoderExporter,
    LanguageModel: LanguageModelExporter,
    keras.Model: KerasExporter,
}


def convert(
    model: Seq2SeqTransformer | TextEncoder | LanguageModel | keras.Model,
    path: str | os.PathLike,
    options: ExportOptions | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Exports a model as a bundle: a folder that apps load.

    The bundle holds `model.tflite`, the tokenizers, and `manifest.json`. The signatures are
    `encode` and `step` of a translation model, `encode` of a text encoder, which takes one text of
    any length up to the limit, and `score` and `step` of a language model. A Keras model of your
    own, functional, sequential or subclassed, with layers of this library, Keras' own and others,
    has the signatures that you name; `tfcompress.runtime.KerasModel` runs it. A bundle computes in
    float32, without dropout, whatever precision the model was trained in. Weights that the model
    shares or ties are stored once.

    Before the folder appears, the bundle is run and compared with `model`, in Python and, where it
    is built, in the native runtime. In float32 its tokens must be the same, but for ties, and its
    results close. Quantized, the difference is measured. The metrics are in the manifest under
    `parity`.

    Args:
        model: The model.
        path: Folder to write. It appears complete or not at all.
        options: How to export it; the defaults of `ExportOptions` by default.
        **changes: Options by name, instead of those in `options`.

    Returns:
        The manifest.

    Raises:
        InputError: If an option is wrong, or the bundle exists or cannot be written.
        ExportError: If the model has operations that LiteRT lacks, or the bundle does not compute
            what the model does.

    Example:

    >>> manifest = tfc.export.convert(
    ...     transformer, "my-bundle", source_tokenizer=tokenizer, target_tokenizer=tokenizer
    ... )
    >>> manifest["files"]["model.tflite"]["bytes"] > 10_000
    True
    """
    options = dataclasses.replace(options or ExportOptions(), **changes)
    check_target(path, options.force)
    for model_class, exporter in _EXPORTERS.items():
        if isinstance(model, model_class):
            return exporter(model, options).export(path)
    raise InputError(
        "`model` must be a Seq2SeqTransformer, a TextEncoder, a LanguageModel or a Keras model. "
        f"Received: {type(model).__name__}."
    )
