"""Bringing a model of another library in, as a run that other runs begin with."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.export.bundle.writer import new_folder
from tfcompress.pipeline.identity import model_digest
from tfcompress.pipeline.pretrained_translators import read_translator, translator_languages
from tfcompress.pipeline.record import RunRecord
from tfcompress.pipeline.workspace import IMPORTED, tokenizer_path
from tfcompress.text.lines import iterate_lines

# In the folder of a run, the shortlist that was imported with its model.
SHORTLIST = "shortlist.bin"


class _Lines:
    """The lines of several files, as often as they are gone through."""

    def __init__(self, paths: Iterable[str | Path]):
        self._paths = [*paths]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(map(iterate_lines, self._paths))


def import_model(
    source: str | Path,
    folder: str | Path,
    *,
    max_length: int | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    corpus: Sequence[str | Path] = (),
) -> None:
    """Reads a translation model of another library and writes it as a finished run.

    The run has no recipe of its own. Commands export and describe it, and recipes name it under
    `start_from`, `teacher.path` or `tokenizer.like`.

    Args:
        source: A MarianMT folder, as OPUS-MT's models are (`tfcompress.models.from_marian`); the
            folder of an M2M100 or NLLB model (`tfcompress.models.from_m2m100`); a file of Marian's
            own, `.npz` or `.bin`, with its vocabularies beside it; or a folder with such files. A
            lexical shortlist there, `lex*.bin`, becomes the run's `shortlist.bin`.
        folder: Folder to write; it appears complete or not at all.
        max_length: As for `tfcompress.models.from_marian` and others.
        source_language: As for `tfcompress.models.from_m2m100`.
        target_language: Likewise.
        corpus: Files of texts in both languages, whose tokens are those that an M2M100 or NLLB
            model keeps; none for all.

    Raises:
        InputError: If the source cannot be read, or the folder exists or cannot be written.

    Example:

    >>> tfc.pipeline.import_model("opus-mt-en-de", "teacher")
    >>> manifest = tfc.pipeline.export_model("teacher", "teacher-int8")
    """
    source = Path(source)
    if os.path.lexists(folder):
        raise InputError(f"The path exists already. Received: {folder}. Give another.")
    lines = _Lines(corpus)
    with new_folder(folder) as new:
        imported = read_translator(
            source,
            max_length=max_length,
            source_language=source_language,
            target_language=target_language,
            corpus=(lines, lines) if corpus else None,
        )
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
        languages = translator_languages(
            source, source_language=source_language, target_language=target_language
        )
        record.recipe = {"name": source.absolute().name, "corpus": languages}
        record.finish("model", needs, "model", content=model_digest(new / "model"))
