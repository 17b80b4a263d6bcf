"""Exporting a saved model from the command line."""

from pathlib import Path

from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.workspace import saved_tokenizers


def export_model(
    model: str | Path,
    bundle: str | Path,
    *,
    quantization: str = "dynamic_int8",
    custom_ops: bool = False,
    force: bool = False,
) -> dict:
    """Exports the model of a run, a saved model or a preset as a bundle.

    Args:
        model: A run's folder (its tokenizers go into the bundle), a folder that `save_preset`
            wrote, or the name of a preset, which has random weights.
        bundle: Folder to write.
        quantization: As for `tfcompress.export.convert`.
        custom_ops: As for `tfcompress.export.convert`.
        force: Whether to replace an existing bundle.

    Returns:
        The bundle's manifest.

    Raises:
        InputError: If there is no such model, or the bundle exists or cannot be written.

    Example:

    >>> tfc.pipeline.export_model("runs/quickstart/compressed", "bundle")
    """
    load_tensorflow()
    from tfcompress.export import convert
    from tfcompress.models.presets import load_preset

    folder = Path(model)
    transformer = load_preset(folder / "model" if (folder / "model").is_dir() else model)
    source, target = _tokenizers(folder)
    return convert(
        transformer,
        bundle,
        source_tokenizer=source,
        target_tokenizer=target,
        quantization=quantization,
        custom_ops=custom_ops,
        force=force,
    )


def _tokenizers(run):
    has_joint = (run / "tokenizer.model").exists()
    has_both = (run / "source.model").exists() and (run / "target.model").exists()
    return saved_tokenizers(run) if has_joint or has_both else (None, None)
