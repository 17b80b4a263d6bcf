"""What searches with a bundle: the native runtime where it is built, else Python."""

from collections.abc import Sequence

import numpy as np

from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.native import NativeEngine
from tfcompress.runtime.native_files import wanted_library
from tfcompress.runtime.search import Hypothesis, beam_search, greedy_search
from tfcompress.runtime.session import Session
from tfcompress.search_options import SearchOptions


class PythonEngine:
    """Searches in Python.

    Args:
        bundle: What `open_bundle` returned.
        num_threads: Threads that LiteRT may use.

    Raises:
        InputError: As `Session` does.
    """

    def __init__(self, bundle: Bundle, *, num_threads: int = 1):
        self._bundle = bundle
        self._session = Session(bundle, num_threads=num_threads)

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
        """Translates a sentence; see `NativeEngine.search`."""
        SearchOptions(beam_size, length_penalty, n_best, max_length)
        special, longest = self._bundle.ids, self._bundle.max_target_length
        limit = min(max_length or longest, longest, 2 * (len(ids) + 1) + 16)
        self._session.encode([*ids, special.eos])
        if not with_scores and beam_size == 1:
            return [Hypothesis(greedy_search(self._session, special, limit), 0.0, 0.0)]
        found = beam_search(
            self._session, special, limit, beam_size=beam_size, length_penalty=length_penalty
        )
        return found[:n_best]

    def logits(self, ids: Sequence[int], target: Sequence[int]) -> np.ndarray:
        """Returns the logits after each prefix of a target; see `NativeEngine.logits`."""
        self._session.encode([*ids, self._bundle.ids.eos])
        self._session.start(1)
        tokens = [self._bundle.ids.bos, *target]
        # A step overwrites the logits of the one before.
        return np.array([self._session.step(token).logits[0].copy() for token in tokens])

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._session.close()


Engine = NativeEngine | PythonEngine


def open_engine(bundle: Bundle, *, num_threads: int = 1, native: bool | None = None) -> Engine:
    """Returns what searches with a bundle.

    Args:
        bundle: What `open_bundle` returned.
        num_threads: Threads that LiteRT may use.
        native: Whether it is the native runtime; by default, where there is one.

    Raises:
        InputError: The bundle needs custom operations that there are not, or does not load; or the
            native runtime is asked for and not built.
    """
    library = wanted_library(native)
    if library is None:
        return PythonEngine(bundle, num_threads=num_threads)
    return NativeEngine(library, bundle, num_threads=num_threads)
