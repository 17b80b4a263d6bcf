"""Bringing a model of another library in, as a run that other runs begin with."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import new_folder
from tfcompress.pipeline.identity import model_digest
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.marian_sources import find_marian_files
from tfcompress.pipeline.record import RunRecord
from tfcompress.pipeline.workspace import IMPORTED, tokenizer_path

if TYPE_CHECKING:
    from tfcompress.models import TranslationModel

# In the folder of a run, the shortlist that was imported with its model.
SHORTLIST = "shortlist.bin"


def import_model(source: str | Path, folder: str | Path, *, max_length: int | None = None) -> None:
    """Reads a translation model of another library and writes it as a finished run.

    The run has no recipe of its own. Commands export and describe it, and recipes name it under
    `start_from`, `teacher.path` or `tokenizer.like`.

    Args:
        source: A MarianMT folder, as OPUS-MT's models are (`tfcompress.models.from_marian`); a
            file of Marian's own, `.npz` or `.bin`, with its vocabularies beside it; or a folder
            with such files. A lexical shortlist there, `lex*.bin`, becomes the run's
            `shortlist.bin`.
        folder: Folder to write; it appears complete or not at all.
        max_length: As for `tfcompress.models.from_marian` and `from_bergamot`.

    Raises:
        InputError: If the source cannot be read, or the folder exists or cannot be written.

    Example:

    >>> tfc.pipeline.import_model("opus-mt-en-de", "teacher")
    >>> manifest = tfc.pipeline.export_model("teacher", "teacher-int8")
    """
    source = Path(source)
    if not source.exists():
        raise InputError(
            f"There is no such file or folder. Received: {source}. Give the folder of a MarianMT "
            "model, or a model of Marian's with its vocabularies beside it."
        )
    if os.path.lexists(folder):
        raise InputError(f"The path exists already. Received: {folder}. Give another.")
    with new_folder(folder) as new:
        load_tensorflow()
        imported = _read(source, max_length)
        model, *tokenizers = imported
        if tokenizers[0] is tokenizers[1]:
            paths = [tokenizer_path(new, "joint")]
        else:
            paths = [tokenizer_path(new, side) for side in ("source", "target")]
        for path, tokenizer in zip(paths, tokenizers):
            path.write_bytes(tokenizer.proto)
        shortlist = getattr(imported, "shortlist", None)
        if shortlist is not None:
            shortlist.write(new / SHORTLIST)
        model.save_to_preset(new / "model")
        record = RunRecord(new)
        needs = {IMPORTED: source.absolute().name}
        record.finish("tokenizers", needs, *(path.name for path in paths))
        record.recipe = {"name": source.absolute().name}
        record.finish("model", needs, "model", content=model_digest(new / "model"))


def _read(source: Path, max_length: int | None) -> "TranslationModel":
    from tfcompress.models import from_bergamot, from_marian, from_marian_npz

    files = find_marian_files(source)
    if files is None:
        return from_marian(source, max_length=max_length)
    if files.model.suffix == ".npz":
        return from_marian_npz(files.model, files.vocabularies, max_length=max_length)
    return from_bergamot(files.model, files.vocabularies, files.shortlist, max_length=max_length)
