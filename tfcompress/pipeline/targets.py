"""What commands take alike: a run, a saved model, a bundle, or the name of a preset."""

import contextlib
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError, InputWarning
from tfcompress.files import read_json
from tfcompress.models import LanguageModelConfig, Seq2SeqConfig, TextEncoderConfig
from tfcompress.models.preset_folder import CONFIG_FILE
from tfcompress.pipeline.exporting import export_model
from tfcompress.pipeline.record import RunRecord
from tfcompress.pipeline.workspace import is_run, model_run
from tfcompress.runtime.manifest import MANIFEST, bundle_model_type

_CONFIGS = {
    "translation": Seq2SeqConfig,
    "text_encoder": TextEncoderConfig,
    "language_model": LanguageModelConfig,
}
Config = Seq2SeqConfig | TextEncoderConfig | LanguageModelConfig


def is_bundle(target: str | Path) -> bool:
    """Returns whether a folder is a bundle."""
    return (Path(target) / MANIFEST).is_file()


def check_target(target: str | Path) -> None:
    """Makes sure that there is a run, model, bundle or preset.

    Args:
        target: Its folder, or the preset's name.

    Raises:
        InputError: If there is none of these.
    """
    from tfcompress.models.presets import preset

    if is_run(target) or is_bundle(target):
        return
    if Path(target).is_dir() and not (Path(target) / CONFIG_FILE).is_file():
        raise InputError(
            f"The folder must be a run, a bundle or a saved model. Received: {target}, which is "
            "none of them."
        )
    preset(target)


def target_config(target: str | Path) -> Config | str | Path:
    """Returns what `tfcompress.analysis.describe` takes of a run, model, bundle or preset.

    Args:
        target: Its folder, or the preset's name.

    Raises:
        InputError: If a run has no model yet, or a bundle's manifest does not describe its model.

    Example:

    >>> target_config("en-de").hidden_dim
    16
    """
    if is_run(target):
        return _model(target)
    if not is_bundle(target):
        return target
    model_type, manifest = bundle_model_type(target), read_json(Path(target) / MANIFEST)
    if model_type not in _CONFIGS or not isinstance(manifest.get("architecture"), dict):
        raise InputError(
            f"The bundle must say its architecture. Received: {target}, for {model_type}. "
            "Give that of a translation model or a text encoder."
        )
    return _CONFIGS[model_type].from_mapping(manifest["architecture"])


@contextlib.contextmanager
def open_bundles(
    target: str | Path, *, quantization: str | None = None, texts: Sequence[str] = ()
) -> Iterator[dict[str, Path]]:
    """Gives bundles of a run, model, bundle or preset while the block runs.

    Those of a run are its own. A saved model and a preset are exported for the time being.

    Args:
        target: Its folder, or the preset's name.
        quantization: Which of the run's bundles to give, or how to export a model; all, or
            "float32", by default.
        texts: For a model without tokenizers, texts that a placeholder is made from; without them
            it is refused.

    Yields:
        The bundles' folders, by a name for each.

    Raises:
        InputError: If there are none.

    Example:

    >>> with open_bundles("en-de") as bundles:
    ...     print(*bundles)
    en-de
    """
    if is_run(target):
        yield _run_bundles(Path(target), quantization)
    elif is_bundle(target):
        if quantization is not None:
            raise InputError(
                f"A bundle has one quantization only. Received: {target} and --quantization "
                f"{quantization}. Leave it out."
            )
        yield {str(target): Path(target)}
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bundle"
            tokenizers = _tokenizers(target, texts)
            export_model(target, path, quantization=quantization or "float32", **tokenizers)
            yield {str(target): path}


def _model(run):
    folder = Path(run) / "model"
    if not (folder / CONFIG_FILE).is_file():
        raise InputError(
            f"The run has no model yet. Received: {run}. Finish it with `tfcompress train`."
        )
    return folder


def _run_bundles(run, quantization):
    stages = [name for name in RunRecord(run).stages if name.startswith("bundles/")]
    bundles = {Path(name).name: run / name for name in stages if is_bundle(run / name)}
    if quantization is None and bundles:
        return bundles
    if quantization not in bundles:
        raise InputError(
            f"The run needs a bundle. Received: {run} with {', '.join(bundles) or 'none'}. "
            "Finish it with `tfcompress train`, or name one that it has."
        )
    return {quantization: bundles[quantization]}


def _tokenizers(target, texts) -> dict[str, Any]:
    """The tokenizers that a model lacks, by option of an export."""
    from tfcompress.models.presets import preset
    from tfcompress.pipeline.placeholder_tokenizers import placeholder_tokenizers

    config = preset(target)
    if model_run(target) is not None:
        return {}
    if not texts:
        raise InputError(
            f"Texts need a tokenizer. Received: {target}, which has none. Give a run, or a bundle "
            "that was exported with one."
        )
    warnings.warn(
        f"{target} has no tokenizer: one that was made from these texts stands in for it",
        InputWarning,
        stacklevel=2,
    )
    return placeholder_tokenizers(config, texts)
