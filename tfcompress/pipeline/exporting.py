"""Exporting a saved model from the command line."""

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError, InputWarning
from tfcompress.export.bundle.writer import check_target
from tfcompress.export.options import ExportOptions
from tfcompress.models import LanguageModelConfig, Seq2SeqConfig, TextEncoderConfig
from tfcompress.pipeline.importing import SHORTLIST
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.workspace import model_run, saved_text_tokenizer, saved_tokenizers
from tfcompress.runtime.quiet import quiet_stderr
from tfcompress.text import Shortlist


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

    >>> tfc.pipeline.export_model("tiny-run", "tiny-int4", quantization="int4")["quantization"]
    'int4'
    """
    options = dataclasses.replace(options or ExportOptions(), **changes)
    check_target(bundle, options.force)
    load_tensorflow()
    from tfcompress.export import convert
    from tfcompress.models.presets import PRESETS, load_preset

    run = model_run(model)
    transformer = load_preset(model if run is None else run / "model")
    if str(model) in PRESETS:
        warnings.warn(
            f"{model} is a preset without trained weights: those of the bundle are random",
            InputWarning,
            stacklevel=2,
        )
    if run is not None:
        options = dataclasses.replace(options, **_tokenizers(run, transformer.config, options))
    with quiet_stderr():
        return convert(transformer, bundle, options)


def export_marian(model: str | Path, folder: str | Path, **options: Any) -> dict[str, int]:
    """Exports the translation model of a run for Marian, Bergamot's engines and Firefox.

    Args:
        model: The run's folder.
        folder: Folder to write.
        **options: `representative_data` and `shortlist`, as for `tfcompress.export.to_marian`;
            a shortlist that was imported with the model is the default.

    Returns:
        The bytes of each file, by name.

    Raises:
        InputError: If there is no such run, Marian cannot compute its model, or the folder exists
            or cannot be written.

    Example:

    >>> files = tfc.pipeline.export_marian("student-run", "student-for-firefox")
    """
    check_target(folder, False)
    run = model_run(model)
    if run is None:
        raise InputError(
            f"Marian's files need a run with tokenizers. Received: {model}. Give the folder that "
            "`tfcompress train` or `tfcompress import` wrote."
        )
    load_tensorflow()
    from tfcompress.export import to_marian
    from tfcompress.models import load_preset

    transformer: Any = load_preset(run / "model")
    if not isinstance(transformer.config, Seq2SeqConfig):
        raise InputError(
            "Marian's files are of translation models. Received: "
            f"{run} with a {type(transformer).__name__}. Give another run."
        )
    source, target = saved_tokenizers(run)
    if options.get("shortlist") is None and (run / SHORTLIST).is_file():
        options["shortlist"] = Shortlist.read(run / SHORTLIST)
    return to_marian(
        transformer, folder, source_tokenizer=source, target_tokenizer=target, **options
    )


def _tokenizers(run, config, options):
    """A run's tokenizers by option, unless the options have others."""
    if isinstance(config, TextEncoderConfig):
        return {} if options.tokenizer is not None else {"tokenizer": saved_text_tokenizer(run)}
    if isinstance(config, LanguageModelConfig):
        return {} if options.tokenizer is not None else {"tokenizer": saved_tokenizers(run)[0]}
    if options.source_tokenizer is not None:
        return {}
    return dict(zip(("source_tokenizer", "target_tokenizer"), saved_tokenizers(run)))


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
