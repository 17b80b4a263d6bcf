"""Sequence-level distillation: a corpus translated by a teacher."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import sacrebleu

from tfcompress.errors import InputError
from tfcompress.files import read_json, replace_file

_CHUNK = 64


def distill_corpus(
    translate: Callable[[list[str]], list[list[str]]],
    sources: Sequence[str],
    path: str | os.PathLike,
    *,
    references: Sequence[str] | None = None,
    name: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Translates a corpus with a teacher, for a student to learn from.

    The translations are written as they are made; called again after an interruption, it goes on
    where it was. A finished file is read and returned.

    Args:
        translate: The teacher: gives each sentence's translations, best first. Of a bundle,
            `lambda batch: [[h.text for h in row] for row in translator.translate(batch,
            beam_size=5, n_best=5)]`.
        sources: Source sentences.
        path: Where to write one translation a line.
        references: The corpus' own translations; where given, the translation most like the
            reference is taken (sentence BLEU), else the first.
        name: What the teacher and its settings are called, so that translations of different
            ones are never mixed in one file.
        progress: Called with the number done and the number of all.

    Returns:
        The translations.

    Raises:
        InputError: If there are no sentences, references are not as many, or the unfinished file
            was begun with other sentences or another teacher.

    Example:

    >>> distilled = tfc.training.distill_corpus(
    ...     translate_n_best, sources, "distilled.de", references=targets
    ... )
    >>> len(distilled) == len(sources)
    True

    Reference: Kim and Rush, 2016, arXiv:1606.07947.
    """
    sources = list(sources)
    if not sources:
        raise InputError("There is nothing to translate. Received: no sentences. Give a corpus.")
    if references is not None and len(references) != len(sources):
        raise InputError(
            f"Every sentence needs a reference. Received: {len(sources)} sentences and "
            f"{len(references)} references."
        )
    path = Path(path)
    job = _digest(sources, references, name)
    lines = _begun(path, job)
    if len(lines) < len(sources):
        part = _part(path)
        with part.open("a", encoding="utf-8") as file:
            for start in range(len(lines), len(sources), _CHUNK):
                chunk = slice(start, start + _CHUNK)
                chosen = _choose(
                    translate(sources[chunk]), None if references is None else references[chunk]
                )
                file.write("".join(f"{line}\n" for line in chosen))
                file.flush()
                lines += chosen
                if progress is not None:
                    progress(len(lines), len(sources))
        os.replace(part, path)
    return lines


def _choose(translations, references):
    if references is None:
        chosen = [row[0] for row in translations]
    else:
        chosen = [
            max(row, key=lambda line, reference=reference: _likeness(line, reference))
            for row, reference in zip(translations, references)
        ]
    return [" ".join(line.split()) for line in chosen]


def _likeness(translation, reference):
    return sacrebleu.sentence_bleu(translation, [reference]).score


def _begun(path: Path, job: str) -> list[str]:
    """Returns the lines that an earlier call wrote, after checking that it did the same job."""
    note, part = path.with_name(f"{path.name}.json"), _part(path)
    written = path if path.exists() else part
    if not written.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(note, json.dumps({"job": job}).encode())
        return []
    try:
        known = read_json(note)["job"]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        known = None
    if known != job:
        raise InputError(
            f"The file was begun with other sentences or another teacher. Received: {written}. "
            "Choose another file, or remove it."
        )
    text = written.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if written == part and whole != text:
        replace_file(part, whole.encode())
    return whole.split("\n")[:-1]


def _part(path):
    return path.with_name(f"{path.name}.part")


def _digest(sources, references, name):
    digest = hashlib.sha256()
    for text in (name, *sources, *(references or ())):
        digest.update(text.encode())
        digest.update(b"\0")
    return digest.hexdigest()
