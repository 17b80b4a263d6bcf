"""Translation models in the native runtime."""

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_char_p, c_float, c_int32, c_size_t, c_void_p

import numpy as np

from tfcompress.runtime.c_interface import CIds, CResult, CSearch
from tfcompress.runtime.constraints import NO_CONSTRAINTS, Constraints
from tfcompress.runtime.native import NativeEngine, int32_pointer
from tfcompress.runtime.native_results import RESULT_FUNCTIONS, hypotheses
from tfcompress.runtime.search import Hypothesis
from tfcompress.runtime.translation_bundle import TranslationBundle
from tfcompress.search_options import SearchOptions


class NativeTranslationEngine(NativeEngine[TranslationBundle]):
    """Translates ids with the native runtime; see `Engine`."""

    opens, frees, frees_result = "tfc_open", "tfc_free_translator", "tfc_free_result"
    functions = {
        "tfc_translate_ids": (
            c_void_p,
            POINTER(c_int32),
            c_size_t,
            POINTER(CSearch),
            POINTER(POINTER(CResult)),
        ),
        "tfc_translate_ids_batch": (
            c_void_p,
            POINTER(CIds),
            c_size_t,
            c_int32,
            POINTER(CSearch),
            POINTER(POINTER(CResult)),
        ),
        "tfc_logits": (
            c_void_p,
            POINTER(c_int32),
            c_size_t,
            POINTER(c_int32),
            c_size_t,
            POINTER(c_float),
        ),
        **RESULT_FUNCTIONS,
    }

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
        """Translates a sentence.

        Args:
            ids: Its ids, without the end id.
            beam_size: Hypotheses that the search keeps; 1 is greedy search.
            n_best: Hypotheses to return.
            max_length: Most tokens, the end id included, where fewer than the bundle's are wanted.
            length_penalty: The power of the length that log-probabilities are divided by.
            with_scores: Whether greedy search computes scores too.
            constraints: What translations must begin with, and must not have.

        Returns:
            The hypotheses, best first.

        Raises:
            InputError: An option is impossible, or the target's prefix does not fit or is banned.
        """
        search = self._c_search(
            beam_size, n_best, max_length, length_penalty, with_scores, constraints
        )
        source = np.asarray(ids, np.int32)
        return self._call(
            "tfc_translate_ids",
            int32_pointer(source),
            len(source),
            ctypes.byref(search),
            result=CResult,
            take=lambda result: hypotheses(self._library, result),
        )

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
        """Translates sentences side by side.

        Args:
            rows: The ids of each, without the end id.
            batch_size: Most sentences side by side.
            beam_size: As in `search`, like all that follows.
            n_best: Hypotheses to return.
            max_length: Most tokens.
            length_penalty: The power of the length.
            with_scores: Whether greedy search computes scores too.
            constraints: What translations must begin with, and must not have.

        Returns:
            What `search` gives for each.

        Raises:
            InputError: As in `search`.
        """
        search = self._c_search(
            beam_size, n_best, max_length, length_penalty, with_scores, constraints
        )
        sources = (CIds * len(rows))(*map(_c_ids, rows))
        results = (POINTER(CResult) * len(rows))()
        self._check(
            self._library.tfc_translate_ids_batch(
                self._handle, sources, len(rows), batch_size, ctypes.byref(search), results
            )
        )
        try:
            return [hypotheses(self._library, result.contents) for result in results]
        finally:
            for result in results:
                self._library.tfc_free_result(result)

    def _c_search(self, beam_size, n_best, max_length, length_penalty, with_scores, constraints):
        SearchOptions(
            beam_size, length_penalty=length_penalty, n_best=n_best, max_length=max_length
        )
        words = [word.encode() for word in constraints.banned_words]
        banned = [_c_ids(row) for row in constraints.banned_ids]
        return CSearch(
            ctypes.sizeof(CSearch),
            beam_size,
            n_best,
            min(max_length or 0, self._bundle.max_target_length),
            False,
            with_scores,
            length_penalty,
            None,
            _c_ids(constraints.target_prefix),
            (c_char_p * len(words))(*words),
            len(words),
            (CIds * len(banned))(*banned),
            len(banned),
            on_progress=self._interruption.callback,
        )

    def logits(self, ids: Sequence[int], target: Sequence[int]) -> np.ndarray:
        """Returns the logits of all tokens after each prefix of a target.

        Args:
            ids: Source ids, without the end id.
            target: Target ids, without the begin id.

        Returns:
            `[len(target) + 1, vocabulary]`, the first row after the begin id alone.
        """
        source, forced = np.asarray(ids, np.int32), np.asarray(target, np.int32)
        logits = np.empty([len(forced) + 1, self._bundle.target_vocabulary], np.float32)
        self._check(
            self._library.tfc_logits(
                self._handle,
                int32_pointer(source),
                len(source),
                int32_pointer(forced),
                len(forced),
                logits.ctypes.data_as(POINTER(c_float)),
            )
        )
        return logits


def _c_ids(ids):
    return CIds((c_int32 * len(ids))(*ids), len(ids))
