"""Several searches side by side, in numpy, over a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from tfcompress.runtime.search import Search, StepOutput, StepRequest
from tfcompress.runtime.session import Session


@dataclass(frozen=True)
class BatchSentence:
    """A sentence that is to be translated.

    Attributes:
        ids: Its ids, the end id included.
        search: The search for its translations.
    """

    ids: Sequence[int]
    search: Search[Any]


def run_batch(
    session: Session,
    sentences: Sequence[BatchSentence],
    *,
    prompt: Sequence[int],
    rows: int,
    batch_size: int,
) -> list:
    """Returns what each search finds, which is what it finds alone.

    Sentences of one length are decoded together, as LiteRT adds up padded ones in another order.

    Args:
        session: The decoder.
        sentences: The sentences and their searches.
        prompt: The ids that every target begins with, the begin id first; searches do not see them.
        rows: The hypotheses that each search has side by side.
        batch_size: Most sentences side by side.
    """
    found: list[Any] = [None] * len(sentences)
    order = sorted(range(len(sentences)), key=lambda number: len(sentences[number].ids))
    for _, group in groupby(order, key=lambda number: len(sentences[number].ids)):
        numbers = [*group]
        for start in range(0, len(numbers), batch_size):
            places = numbers[start : start + batch_size]
            session.start_batch([sentences[number].ids for number in places], rows)
            runs = [_Run(sentences[number].search, prompt, rows) for number in places]
            _decode(session, runs, rows)
            for number, run in zip(places, runs):
                found[number] = run.found
    return found


class _Run:
    """A search of a batch.

    Args:
        search: The search.
        prompt: What its targets begin with, in place of the begin id.
        rows: Its hypotheses.

    Attributes:
        request: What it wants of the next step; None when it is done.
        found: What it found then.
    """

    def __init__(self, search: Search[Any], prompt: Sequence[int], rows: int):
        self._search = search
        self._forced = [StepRequest(np.full(rows, token, np.int32)) for token in prompt]
        self.request: StepRequest | None = None
        self.found: Any = None
        self._advance(None)
        if self.request is not None:
            self.request = self._forced.pop(0)

    def look(self, output: StepOutput) -> None:
        """Looks at what a step gave for its rows."""
        if self._forced:
            self.request = self._forced.pop(0)
        else:
            self._advance(output)

    def _advance(self, output: Any):
        try:
            self.request = self._search.send(output)
        except StopIteration as stop:
            self.request, self.found = None, stop.value


def _decode(session, runs, rows):
    """Steps until all searches are done."""
    idle = np.zeros(rows, np.int32)
    while runs := _shrunk(session, runs, rows):
        requests = [run.request or StepRequest(idle) for run in runs]
        own = np.arange(rows)
        parents = [own if one.parents is None else one.parents for one in requests]
        if any(one.parents is not None for one in requests):
            session.reorder(np.concatenate([i * rows + one for i, one in enumerate(parents)]))
        output = session.step(np.concatenate([one.token_ids for one in requests]))
        for i, run in enumerate(runs):
            if run.request is not None:
                run.look(_rows(output, slice(i * rows, (i + 1) * rows)))


def _shrunk(session, runs, rows):
    """Gives up the places of searches that are done, but not one by one: that takes as long as some
    steps."""
    going = [i for i, run in enumerate(runs) if run.request is not None]
    if 2 * len(going) > len(runs):
        return runs
    if going:
        session.keep(np.concatenate([np.arange(i * rows, (i + 1) * rows) for i in going]))
    return [runs[i] for i in going]


def _rows(output, rows):
    logits, *others = output
    return StepOutput(logits[rows], *(None if one is None else one[rows] for one in others))
