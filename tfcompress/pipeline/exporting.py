"""Exporting a saved model from the command line."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress.export.bundle.writer import check_target
from tfcompress.export.options import ExportOptions
from tfcompress.models import LanguageModelConfig, TextEncoderConfig
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.workspace import (
    RUN_FILE,
    has_text_tokenizer,
    has_tokenizers,
    saved_text_tokenizer,
    saved_tokenizers,
)


def export_model(
    model: str | Path, bundle: str | Path, options: ExportOptions | None = None, **changes: Any
) -> dict:
    """Exports the model of a run, a saved model or a preset as a bundle.

    Args:
        model: A run's folder (its tokenizers go into the bundle), a folder that `save_preset`
            wrote, or the name of a preset, which has random weights.
        bundle: Folder to write.
        options: As for `tfcompress.export.convert`.
        **changes: Options by name, instead of those in `options`.

    Returns:
        The bundle's manifest.

    Raises:
        InputError: If there is no such model, or the bundle exists or cannot be written.

    Example:

    >>> tfc.pipeline.export_model("runs/quickstart/compressed", "bundle")
    """
    options = dataclasses.replace(options or ExportOptions(), **changes)
    check_target(bundle, options.force)
    load_tensorflow()
    from tfcompress.export import convert
    from tfcompress.models.presets import load_preset

    folder = Path(model)
    transformer = load_preset(folder / "model" if (folder / "model").is_dir() else model)
    if isinstance(transformer.config, TextEncoderConfig):
        if options.tokenizer is None and _is_run(folder, has_text_tokenizer):
            options = dataclasses.replace(options, tokenizer=saved_text_tokenizer(folder))
    elif isinstance(transformer.config, LanguageModelConfig):
        if options.tokenizer is None and _is_run(folder, has_tokenizers):
            options = dataclasses.replace(options, tokenizer=saved_tokenizers(folder)[0])
    elif options.source_tokenizer is None and _is_run(folder, has_tokenizers):
        source, target = saved_tokenizers(folder)
        options = dataclasses.replace(options, source_tokenizer=source, target_tokenizer=target)
    return convert(transformer, bundle, options)


def check_scheme_names(scheme: Mapping[str, str] | None, config: Any) -> None:
    """Makes sure, before a model is trained, that a scheme names weights that it will have.

    Args:
        scheme: The scheme, or None.
        config: The model's configuration.

    Raises:
        InputError: If an expression matches no name.
    """
    if scheme is None:
        return
    from tfcompress.export.quantization.quantization_scheme import QuantizationScheme, WeightNames
    from tfcompress.models.model_classes import model_class

    model = model_class(config)
    QuantizationScheme(scheme, WeightNames(model(config)))


def _is_run(folder, has_tokenizer):
    """Whether a folder must have tokenizers: a run's, whatever it has lost."""
    return has_tokenizer(folder) or (folder / RUN_FILE).exists()
