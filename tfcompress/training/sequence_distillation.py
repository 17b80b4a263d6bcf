"""Sequence-level distillation: a corpus translated by a teacher."""

import hashlib
import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import sacrebleu

from tfcompress.digests import digest
from tfcompress.errors import InputError
from tfcompress.files import remove_leftovers, replace_file
from tfcompress.locks import FolderLock

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

    The translations are kept as they are made, each with its number and a digest, in a journal
    beside the file; called again after an interruption, it goes on where it was, and makes again
    what is damaged. A finished file is read and returned.

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
        InputError: If there are no sentences, references or translations are not as many, the file
            was begun with other sentences or another teacher, or another process writes it.

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
    path.parent.mkdir(parents=True, exist_ok=True)
    with FolderLock(path.with_name(f"{path.name}.lock"), path):
        remove_leftovers(path.parent, path.name)
        with _Journal(path, _job(sources, references, name)) as journal:
            lines = journal.lines
            for start in range(len(lines), len(sources), _CHUNK):
                chunk = slice(start, start + _CHUNK)
                chosen = _choose(
                    translate(sources[chunk]), None if references is None else references[chunk]
                )
                if len(chosen) != len(sources[chunk]):
                    raise InputError(
                        "The teacher must translate every sentence. Received: "
                        f"{len(chosen)} translations of {len(sources[chunk])} sentences."
                    )
                journal.append(chosen)
                if progress is not None:
                    progress(len(lines), len(sources))
        text = "".join(f"{line}\n" for line in lines).encode()
        if not path.exists() or path.read_bytes() != text:
            replace_file(path, text)
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


class _Journal:
    """The translations so far, each with its number and a digest, so that none can be lost unseen.

    Args:
        path: The file that they are for.
        job: A digest of what is translated by whom.

    Attributes:
        lines: The translations.
    """

    def __init__(self, path: Path, job: str):
        self.lines: list[str] = []
        self._path = path.with_name(f"{path.name}.journal")
        self._job = job
        self._begin(path)
        self._file = self._path.open("ab")

    def __enter__(self) -> "_Journal":
        return self

    def __exit__(self, *details: object) -> None:
        self._file.close()

    def append(self, lines: Sequence[str]) -> None:
        """Adds translations; they are on the disk afterwards."""
        for line in lines:
            self._file.write(self._entry(len(self.lines), line))
            self.lines.append(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _begin(self, path):
        """Reads as far as entries are whole, and cuts off the rest."""
        if not self._path.exists() or not self._path.stat().st_size:
            if path.exists():
                raise InputError(
                    f"The file is there and its journal is not. Received: {path} without "
                    f"{self._path.name}. Choose another file, or remove it."
                )
            replace_file(self._path, f"{self._job}\n".encode())
        with self._path.open("rb") as file:
            header, first = file.readline(), file.readline()
            if header != f"{self._job}\n".encode() and first != self._entry(0, _text(first)):
                raise InputError(
                    f"The file was begun with other sentences or another teacher. Received: "
                    f"{path}. Choose another file, or remove it and {self._path.name}."
                )
            size = len(header)
            for entry in itertools.chain([first], file):
                if entry != self._entry(len(self.lines), _text(entry)):
                    break
                self.lines.append(_text(entry))
                size += len(entry)
        if size < self._path.stat().st_size:
            os.truncate(self._path, size)

    def _entry(self, number, line):
        checked = f"{number}\t{line}"
        return f"{digest([self._job, checked])}\t{checked}\n".encode()


def _text(entry):
    return entry.rstrip(b"\n").rpartition(b"\t")[2].decode("utf-8", "replace")


def _job(sources, references, name):
    content = hashlib.sha256()
    for text in (name, *sources, *(references or ())):
        content.update(text.encode())
        content.update(b"\0")
    return content.hexdigest()
