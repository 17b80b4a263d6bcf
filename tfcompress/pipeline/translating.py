"""Translating many sentences, with several processes if need be."""

import collections
import itertools
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfcompress.errors import InputError
from tfcompress.search_options import SearchOptions

_CHUNK = 32
# Chunks that wait for each process, so that none is ever idle.
_AHEAD = 4
# The bundle of a worker, opened once.
_worker: dict[str, Any] = {}


@dataclass(frozen=True)
class Translated:
    """A sentence with its translations.

    Attributes:
        number: The sentence's number, from 1.
        source: The sentence.
        texts: Its translations, the best first.
        scores: Their scores.
        parts: In how many parts it was translated, more than one beyond the model's limit.
        limit: That limit, in tokens.
    """

    number: int
    source: str
    texts: list[str]
    scores: list[float]
    parts: int
    limit: int


def translate_sentences(
    bundle: str | Path,
    sentences: Iterable[str],
    *,
    workers: int = 1,
    num_threads: int = 1,
    overlong: str = "split",
    place: str = "sentences",
    **search: Any,
) -> Iterator[Translated]:
    """Yields the translations of sentences, in their order, as they come.

    Args:
        bundle: The bundle's folder.
        sentences: The sentences; they are read as far as they are needed.
        workers: Processes that translate; 1 for this one.
        num_threads: Threads of each.
        overlong: "split" translates sentences beyond the model's limit in parts, "error" refuses
            them.
        place: What the sentences are called in errors, such as a file's name.
        **search: As `Translator.translate` takes it: `beam_size`, `length_penalty`, `n_best`.

    Raises:
        InputError: If the bundle or an option is wrong, a sentence cannot be translated, naming its
            number, or a process ends.

    Example:

    >>> [best.number for best in translate_sentences("en-de", ["Two dogs play.", "It runs."])]
    [1, 2]
    """
    from tfcompress.runtime import open_bundle

    SearchOptions(**search)
    check_workers(workers)
    options = {**search, "overlong": overlong, "return_scores": True}
    settings = str(bundle), num_threads, place, options
    if workers == 1:
        _open(*settings, ignore_interrupts=False)
        try:
            for one in enumerate(sentences, start=1):
                yield from _translate([one])
        finally:
            _worker.pop("translator").close()
        return
    open_bundle(bundle)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_open, initargs=settings) as pool:
        waiting: collections.deque[Future] = collections.deque()
        try:
            for chunk in _chunks(sentences):
                waiting.append(pool.submit(_translate, chunk))
                if len(waiting) >= workers * _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise InputError(
                f"A process that translates has ended. Received: {workers} workers for {bundle}. "
                "See that the bundle opens and that the memory is enough, or give fewer workers."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def check_workers(workers: int) -> None:
    """Makes sure that there can be so many processes.

    Args:
        workers: How many.

    Raises:
        InputError: If there are fewer processors.
    """
    processors = len(os.sched_getaffinity(0))
    if not 1 <= workers <= processors:
        raise InputError(
            f"`workers` must be from 1 to the processors of this machine, {processors}. Received: "
            f"{workers}."
        )


def _chunks(sentences) -> Iterator[Sequence[tuple[int, str]]]:
    numbered = iter(enumerate(sentences, start=1))
    while chunk := list(itertools.islice(numbered, _CHUNK)):
        yield chunk


def _open(bundle, num_threads, place, options, ignore_interrupts=True):
    from tfcompress.runtime import Translator

    if ignore_interrupts:  # The process that waits for this one handles them.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker["translator"] = Translator(bundle, num_threads=num_threads)
    _worker["place"], _worker["options"] = place, options


def _translate(chunk) -> list[Translated]:
    results = []
    for number, source in chunk:
        place = f"{_worker['place']}, line {number}"
        try:
            rows = _worker["translator"].translate(source, **_worker["options"])
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
        texts, scores = [row.text for row in rows], [row.score for row in rows]
        limit = _worker["translator"].bundle.max_source_length
        results.append(Translated(number, source, texts, scores, rows[0].parts, limit))
    return results
