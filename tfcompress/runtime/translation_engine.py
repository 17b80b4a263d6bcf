"""Translation models in Python."""

from collections.abc import Sequence

import numpy as np

from tfcompress.runtime.engine import Engine
from tfcompress.runtime.search import Hypothesis, beam_search, greedy_search
from tfcompress.runtime.session import Session
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.search_options import SearchOptions


class TranslationEngine(Engine[TranslationBundle]):
    """Searches in Python; see `Engine`."""

    def _open(self, library, num_threads):
        self._session = Session(self._bundle, num_threads=num_threads)

    def search(
        self,
        ids: Sequence[int],
        *,
        beam_size: int = 1,
        n_best: int = 1,
        max_length: int | None = None,
        length_penalty: float = 1.0,
        with_scores: bool = False,
    ) -> list[Hypothesis]:
        """Translates a sentence; as in the native runtime."""
        SearchOptions(
            beam_size, length_penalty=length_penalty, n_best=n_best, max_length=max_length
        )
        special, longest = self._bundle.ids, self._bundle.max_target_length
        limit = min(max_length or longest, longest, 2 * (len(ids) + 1) + 16)
        self._session.encode([*ids, special.eos])
        if not with_scores and beam_size == 1:
            return [Hypothesis(greedy_search(self._session, special, limit), 0.0, 0.0)]
        hypotheses = beam_search(
            self._session, special, limit, beam_size=beam_size, length_penalty=length_penalty
        )
        return hypotheses[:n_best]

    def logits(self, ids: Sequence[int], target: Sequence[int]) -> np.ndarray:
        """Returns the logits after each prefix of a target; as in the native runtime."""
        self._session.encode([*ids, self._bundle.ids.eos])
        self._session.start(1)
        tokens = [self._bundle.ids.bos, *target]
        # A step overwrites the logits of the one before.
        return np.array([self._session.step(token).logits[0].copy() for token in tokens])

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._session.close()
