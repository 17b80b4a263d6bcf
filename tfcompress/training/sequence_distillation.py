"""Sequence-level distillation: a corpus translated by a teacher."""

import functools
import os
from collections.abc import Callable, Sequence
from itertools import chain, islice

import sacrebleu

from tfcompress.digests import texts_digest
from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.text.journaled import journaled_lines
from tfcompress.text.lines import FileLines

_CHUNK = 128


def distill_corpus(
    translate: Callable[[list[str]], list[list[str]]],
    sources: Sequence[str],
    path: str | os.PathLike,
    *,
    references: Sequence[str] | None = None,
    name: str = "",
    progress: Callable[[int, int], None] | None = None,
    engine: Engine | None = None,
) -> list[str]:
    """Translates a corpus with a teacher, for a student to learn from.

    The translations are kept as they are made, each with its number and a digest, in a journal
    beside the file; called again after an interruption, it goes on where it was, and makes again
    what is damaged. A finished file is read and returned.

    Args:
        translate: The teacher: gives each sentence's translations, best first. Of a bundle,
            `lambda batch: [[h.text for h in row] for row in translator.translate(batch,
            beam_size=5, n_best=5)]`.
        sources: Source sentences, in memory or of a `TextStream`.
        path: Where to write one translation a line.
        references: The corpus' own translations; where given, the translation most like the
            reference is taken (sentence BLEU), else the first.
        name: What the teacher and its settings are called, so that translations of different
            ones are never mixed in one file.
        progress: Called with the number done and the number of all.
        engine: Where to translate, entered; this process by default. `translate` is then sent to
            other processes: a function of a module, or `functools.partial` of one.

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
    return [
        *distilled_lines(
            translate,
            sources,
            path,
            references=references,
            name=name,
            progress=progress,
            engine=engine,
        )
    ]


def distilled_lines(
    translate: Callable[[list[str]], list[list[str]]],
    sources: Sequence[str],
    path: str | os.PathLike,
    *,
    references: Sequence[str] | None = None,
    name: str = "",
    progress: Callable[[int, int], None] | None = None,
    engine: Engine | None = None,
) -> FileLines:
    """Does what `distill_corpus` does with a corpus of any size, which is never in memory.

    Args:
        translate: As for `distill_corpus`, like all that follows.
        sources: Source sentences.
        path: Where to write one translation a line.
        references: The corpus' own translations.
        name: What the teacher and its settings are called.
        progress: Called with the number done and the number of all.
        engine: Where to translate.

    Returns:
        The translations, which are read from the file when they are needed.
    """
    if not len(sources):
        raise InputError("There is nothing to translate. Received: no sentences. Give a corpus.")
    if references is not None and len(references) != len(sources):
        raise InputError(
            f"Every sentence needs a reference. Received: {len(sources)} sentences and "
            f"{len(references)} references."
        )
    pieces = _pieces(sources, references)
    choose = functools.partial(_choose, translate)
    return journaled_lines(
        path,
        lambda start: (engine or Engine()).map(choose, pieces(start)),
        count=len(sources),
        job=texts_digest(chain([name], sources, references or ())),
        origin="other sentences or another teacher",
        progress=progress,
    )


def _pieces(sources, references):
    """Gives pieces of the corpus from any sentence on."""

    def pieces(start):
        texts = islice(sources, start, None)
        expected = None if references is None else islice(references, start, None)
        while chunk := [*islice(texts, _CHUNK)]:
            yield chunk, None if expected is None else [*islice(expected, _CHUNK)]

    return pieces


def _choose(translate, piece) -> list[str]:
    sources, references = piece
    translations = translate(sources)
    if len(translations) != len(sources):
        raise InputError(
            f"The teacher must translate every sentence. Received: {len(translations)} "
            f"translations of {len(sources)} sentences."
        )
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
