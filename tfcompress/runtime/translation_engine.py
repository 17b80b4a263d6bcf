"""Translation models in Python."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcompress.runtime.batch import BatchSentence, run_batch
from tfcompress.runtime.constraints import (
    NO_CONSTRAINTS,
    Constraints,
    Surfaces,
    check_room,
    checked_bans,
)
from tfcompress.runtime.engine import Engine
from tfcompress.runtime.generation import Prompted
from tfcompress.runtime.search import Hypothesis, Search, beam_steps, greedy_steps, run
from tfcompress.runtime.sentencepiece_file import load_sentencepiece
from tfcompress.runtime.session import Session
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.search_options import SearchOptions


class TranslationEngine(Engine[TranslationBundle]):
    """Searches in Python; see `Engine`."""

    def _open(self, library, num_threads):
        special = self._bundle.ids
        self._session = Session(self._bundle, num_threads=num_threads)
        self._stepper = Prompted(self._session, special.bos, special.target_prefix)

    def search(
        self,
        ids: Sequence[int],
        *,
        beam_size: int = 1,
        n_best: int = 1,
        max_length: int | None = None,
        length_penalty: float = 1.0,
        with_scores: bool = False,
        constraints: Constraints = NO_CONSTRAINTS,
    ) -> list[Hypothesis]:
        """Translates a sentence; as in the native runtime."""
        search = self._search(
            len(ids), beam_size, n_best, max_length, length_penalty, with_scores, constraints
        )
        self._session.encode([*ids, self._bundle.ids.eos])
        return run(search, self._stepper, beam_size)[:n_best]

    def search_batch(
        self,
        rows: Sequence[Sequence[int]],
        *,
        batch_size: int,
        beam_size: int = 1,
        n_best: int = 1,
        max_length: int | None = None,
        length_penalty: float = 1.0,
        with_scores: bool = False,
        constraints: Constraints = NO_CONSTRAINTS,
    ) -> list[list[Hypothesis]]:
        """Translates sentences side by side; as in the native runtime."""
        options: Any = (beam_size, n_best, max_length, length_penalty, with_scores, constraints)
        sentences = [
            BatchSentence([*ids, self._bundle.ids.eos], self._search(len(ids), *options))
            for ids in rows
        ]
        special = self._bundle.ids
        found = run_batch(
            self._session,
            sentences,
            prompt=[special.bos, *special.target_prefix],
            rows=beam_size,
            batch_size=batch_size,
        )
        return [hypotheses[:n_best] for hypotheses in found]

    def _search(
        self, num_ids, beam_size, n_best, max_length, length_penalty, with_scores, constraints
    ) -> Search[list[Hypothesis]]:
        """Returns the search of a sentence of so many ids."""
        SearchOptions(
            beam_size, length_penalty=length_penalty, n_best=n_best, max_length=max_length
        )
        special = self._bundle.ids
        longest = self._bundle.max_target_length - len(special.target_prefix)
        limit = min(max_length or longest, longest, 2 * (num_ids + 1) + 16)
        options: Any = {
            "prefix": constraints.target_prefix,
            "bans": checked_bans(constraints, lambda: self._surfaces),
        }
        check_room(constraints.target_prefix, limit)
        if not with_scores and beam_size == 1:
            return _without_scores(greedy_steps(special, limit, **options))
        options |= {"beam_size": beam_size, "length_penalty": length_penalty}
        return beam_steps(special, limit, **options)

    @functools.cached_property
    def _surfaces(self):
        processor = load_sentencepiece(self._bundle.target_tokenizer)
        return Surfaces(processor, self._bundle.target_vocabulary)

    def logits(self, ids: Sequence[int], target: Sequence[int]) -> np.ndarray:
        """Returns the logits after each prefix of a target; as in the native runtime."""
        self._session.encode([*ids, self._bundle.ids.eos])
        self._stepper.start(1)
        tokens = [self._bundle.ids.bos, *target]
        # A step overwrites the logits of the one before.
        return np.array([self._stepper.step(token).logits[0].copy() for token in tokens])

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._session.close()


def _without_scores(search: Search[list[int]]) -> Search[list[Hypothesis]]:
    """Makes the ids that a search finds its only hypothesis."""
    return [Hypothesis((yield from search), 0.0, 0.0)]
