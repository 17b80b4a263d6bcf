"""Which words of a sentence pair translate each other, learned from all pairs of a corpus."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.digests import texts_digest
from tfcompress.errors import InputError
from tfcompress.text.journaled import journaled_lines
from tfcompress.text.lines import FileLines
from tfcompress.text.words import split_words

SYMMETRIZATIONS = ("grow_diag_final_and", "intersection", "union")
# Pairs that are aligned, and in memory, at a time; from more little is to be learned.
_SHARD = 1_000_000
_SEED = 1
# What a side may have at most, as for the library.
_MOST_WORDS = 1000


def align_corpus(
    sources: Sequence[str],
    targets: Sequence[str],
    path: str | Path,
    *,
    symmetrization: str = "grow_diag_final_and",
    progress: Callable[[int, int], None] | None = None,
) -> FileLines:
    """Aligns the words of sentence pairs, in both directions, without regard to case.

    The model is Eflomal's, a Bayesian HMM with fertility, as the package sil-thot has it (`pip
    install tfcompress[align]`). Words are those of `tfcompress.text.split_words`. The same pairs
    give the same lines. A finished file is read and returned; of more than a million pairs each
    million is aligned and kept for itself.

    Args:
        sources: Source sentences, in memory or of a `TextStream`.
        targets: Their translations.
        path: Where to write a line for each pair, such as "0-0 1-2": numbers of source and target
            words, from 0, that translate each other.
        symmetrization: What becomes of two directions: "grow_diag_final_and", "intersection" or
            "union".
        progress: Called with the number of pairs done and that of all.

    Returns:
        The lines.

    Raises:
        InputError: If there are no pairs, the numbers of sentences differ, the package is missing,
            or the file is another corpus'.

    Example:
        >>> lines = align_corpus(["the dog", "the cat"], ["der hund", "die katze"], "words.align")
        >>> len(lines)
        2

    Reference: Östling and Tiedemann, 2016, Efficient word alignment with Markov chain Monte Carlo;
    Koehn et al., 2003, Statistical phrase-based translation.
    """
    if symmetrization not in SYMMETRIZATIONS:
        raise InputError(
            f"`symmetrization` must be one of {', '.join(SYMMETRIZATIONS)}. Received: "
            f"{symmetrization!r}."
        )
    if not len(sources) or len(sources) != len(targets):
        raise InputError(
            f"Every source needs a target. Received: {len(sources)} sources, {len(targets)} "
            "targets."
        )
    return journaled_lines(
        path,
        lambda start: _aligned(sources, targets, start, symmetrization),
        count=len(sources),
        job=texts_digest(chain([symmetrization], sources, targets)),
        origin="other sentences or another symmetrization",
        progress=progress,
    )


def check_aligner() -> Any:
    """Returns the library that aligns.

    Raises:
        InputError: If it is not installed.
    """
    try:
        return importlib.import_module("thot.alignment")
    except ImportError as error:
        raise InputError(
            f"Word alignment needs the package sil-thot. Received: {error}. Install "
            "tfcompress[align]."
        ) from error


def _aligned(sources, targets, start, symmetrization) -> Iterator[list[str]]:
    # Each million from its beginning, wherever a journal was cut.
    first = start // _SHARD * _SHARD
    pairs = zip(islice(sources, first, None), islice(targets, first, None))
    while shard := [*islice(pairs, _SHARD)]:
        yield _align(shard, symmetrization)[max(0, start - first) :]
        first += _SHARD


def _align(shard, symmetrization) -> list[str]:
    library = check_aligner()
    sides = [
        [[word.lower() for word in split_words(text)[:_MOST_WORDS]] for text in side]
        for side in zip(*shard)
    ]
    # What has no words on a side has nothing to align.
    kept = [number for number, pair in enumerate(zip(*sides)) if all(pair)]
    lines = [""] * len(shard)
    if not kept:
        return lines
    source, target = ([side[number] for number in kept] for side in sides)
    models = [_trained(library, *sides) for sides in ((source, target), (target, source))]
    aligner = library.SymmetrizedAlignmentModel(*models)
    aligner.heuristic = getattr(library.SymmetrizationHeuristic, symmetrization.upper())
    for place, number in enumerate(kept):
        _, matrix = aligner.get_training_alignment(place)
        lines[number] = " ".join(f"{s}-{t}" for s, t in np.argwhere(matrix.to_numpy()))
    return lines


def _trained(library, sources, targets):
    model = library.EflomalAlignmentModel()
    model.seed, model.deterministic, model.emit_training_alignments = _SEED, True, True
    for pair in zip(sources, targets):
        model.add_sentence_pair(*pair)
    model.start_training()  # gives the number of pairs
    for _ in range(model.scheduled_iterations):
        model.train()
    model.end_training()
    return model
