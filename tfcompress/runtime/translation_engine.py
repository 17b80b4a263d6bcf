"""Translation models in Python."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcompress.runtime.constraints import (
    NO_CONSTRAINTS,
    Constraints,
    Surfaces,
    check_room,
    checked_bans,
)
from tfcompress.runtime.engine import Engine
from tfcompress.runtime.generation import Prompted
from tfcompress.runtime.search import Hypothesis, beam_search, greedy_search
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
        SearchOptions(
            beam_size, length_penalty=length_penalty, n_best=n_best, max_length=max_length
        )
        special = self._bundle.ids
        longest = self._bundle.max_target_length - len(special.target_prefix)
        limit = min(max_length or longest, longest, 2 * (len(ids) + 1) + 16)
        options: Any = {
            "prefix": constraints.target_prefix,
            "bans": checked_bans(constraints, lambda: self._surfaces),
        }
        check_room(constraints.target_prefix, limit)
        self._session.encode([*ids, special.eos])
        if not with_scores and beam_size == 1:
            ids = greedy_search(self._stepper, special, limit, **options)
            return [Hypothesis(ids, 0.0, 0.0)]
        hypotheses = beam_search(
            self._stepper,
            special,
            limit,
            beam_size=beam_size,
            length_penalty=length_penalty,
            **options,
        )
        return hypotheses[:n_best]

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
