"""Bringing a model of another library in, as a run that other runs begin with."""

from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import new_folder
from tfcompress.pipeline.identity import model_digest
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.record import RunRecord
from tfcompress.pipeline.workspace import IMPORTED, tokenizer_path


def import_model(source: str | Path, folder: str | Path, *, max_length: int | None = None) -> None:
    """Reads a MarianMT folder, as OPUS-MT's models are, and writes it as a finished run.

    The run has no recipe of its own. Commands export and describe it, and recipes name it under
    `start_from`, `teacher.path` or `tokenizer.like`.

    Args:
        source: The folder, as for `tfcompress.models.from_marian`.
        folder: Folder to write; it appears complete or not at all.
        max_length: As for `tfcompress.models.from_marian`.

    Raises:
        InputError: If the source cannot be read, or the folder exists or cannot be written.

    Example:

    >>> tfc.pipeline.import_model("opus-mt-en-de", "teacher")
    >>> manifest = tfc.pipeline.export_model("teacher", "teacher-int8")
    """
    source = Path(source)
    if not source.is_dir():
        raise InputError(
            f"There is no such folder. Received: {source}. Give the folder of a MarianMT model."
        )
    with new_folder(folder) as new:
        load_tensorflow()
        from tfcompress.models import from_marian

        model, *tokenizers = from_marian(source, max_length=max_length)
        for side, tokenizer in zip(("source", "target"), tokenizers):
            tokenizer_path(new, side).write_bytes(tokenizer.proto)
        model.save_to_preset(new / "model")
        record = RunRecord(new)
        names = [tokenizer_path(new, side).name for side in ("source", "target")]
        needs = {IMPORTED: source.absolute().name}
        record.finish("tokenizers", needs, *names)
        record.recipe = {"name": source.absolute().name}
        record.finish("model", needs, "model", content=model_digest(new / "model"))
