"""Leaving out what a teacher translated worst, as a model in the opposite direction sees it."""

import functools
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, compress, islice
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.digests import texts_digest
from tfcompress.engine import Engine
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.workspace import run_digest, saved_tokenizers
from tfcompress.text.journaled import journaled_lines
from tfcompress.text.lines import FileLines, ReadSequence

_CHUNK = 128


class KeptLines(ReadSequence[str]):
    """Those of many lines that are kept, read when they are needed.

    Args:
        lines: The lines.
        mask: Whether each is kept.

    Example:

    >>> [*KeptLines(["a", "b", "c"], np.array([True, False, True]))]
    ['a', 'c']
    """

    def __init__(self, lines: Sequence[str], mask: np.ndarray):
        self._lines, self._mask = lines, mask
        self._count = int(mask.sum())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return compress(self._lines, self._mask)


def backward_scores(
    run: str | Path,
    sources: Sequence[str],
    targets: Sequence[str],
    path: str | Path,
    *,
    engine: Engine | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FileLines:
    """Scores sentence pairs with a model that translates targets to sources.

    Args:
        run: The run of that model.
        sources: Source sentences.
        targets: Their translations.
        path: Where to write a line for each: the cross-entropy of a token of the source, in nats.
        engine: Where to score, entered; this process by default.
        progress: Called with the number done and that of all.

    Returns:
        The lines.

    Raises:
        InputError: If the run cannot be read, or the file was begun for other pairs.
    """
    return journaled_lines(
        path,
        lambda start: (engine or Engine()).map(
            functools.partial(_score, str(Path(run).absolute())), _pieces(sources, targets, start)
        ),
        count=len(sources),
        job=texts_digest(chain([run_digest(run)], sources, targets)),
        origin="other pairs or another model",
        progress=progress,
    )


def best_share(scores: Sequence[str], keep: float) -> np.ndarray:
    """Returns which lines are among the best, those of the lowest scores; of equal ones the first.

    Args:
        scores: Lines as `backward_scores` gives them.
        keep: Which part of all to keep.

    Example:

    >>> best_share(["2.5", "0.5", "inf", "1.0"], 0.5).tolist()
    [False, True, False, True]
    """
    values = np.fromiter(map(float, scores), np.float64, len(scores))
    order = np.argsort(values, kind="stable")
    mask = np.zeros(len(values), bool)
    mask[order[: max(1, round(keep * len(values)))]] = True
    return mask


def _pieces(sources, targets, start):
    pairs = zip(islice(sources, start, None), islice(targets, start, None))
    while piece := [*islice(pairs, _CHUNK)]:
        yield piece


@functools.lru_cache(maxsize=1)
def _loaded(run) -> Any:
    """The model of a process and its tokenizers, read once."""
    load_tensorflow()
    from tfcompress.models.presets import load_preset

    folder = Path(run)
    return load_preset(folder / "model"), saved_tokenizers(folder)


def _score(run, piece) -> list[str]:
    model, (source, target) = _loaded(run)
    from tfcompress.text import TokenizedPairs
    from tfcompress.training import pair_crossentropies

    originals, translations = (list(side) for side in zip(*piece))
    pairs = TokenizedPairs.from_corpus(source, translations, originals, target_tokenizer=target)
    return [f"{value:.6g}" for value in pair_crossentropies(model, pairs)]
