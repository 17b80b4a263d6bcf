"""Language models in the native runtime."""

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_double, c_float, c_int32, c_size_t, c_uint64, c_void_p

import numpy as np

from tfcompress.generation_options import GenerationOptions
from tfcompress.runtime.c_interface import PROGRESS, CResult
from tfcompress.runtime.language_model_bundle import LanguageModelBundle
from tfcompress.runtime.native import NativeEngine, int32_pointer
from tfcompress.runtime.native_results import RESULT_FUNCTIONS, hypotheses
from tfcompress.runtime.search import Hypothesis


class CGeneration(ctypes.Structure):
    """`tfc_generation`: how to go on."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("max_tokens", c_int32),
        ("beam_size", c_int32),
        ("n_best", c_int32),
        ("top_k", c_int32),
        ("length_penalty", c_double),
        ("temperature", c_double),
        ("seed", c_uint64),
        ("on_progress", PROGRESS),
        ("user_data", c_void_p),
    ]


class NativeLanguageModelEngine(NativeEngine[LanguageModelBundle]):
    """Scores and generates with the native runtime; see `Engine`."""

    opens, frees = "tfc_open_language_model", "tfc_free_language_model"
    frees_result = "tfc_free_result"
    functions = {
        "tfc_generate_ids": (
            c_void_p,
            POINTER(c_int32),
            c_size_t,
            POINTER(CGeneration),
            POINTER(POINTER(CResult)),
        ),
        "tfc_begin_ids": (c_void_p, POINTER(c_int32), c_size_t, POINTER(CGeneration)),
        "tfc_next_id": (c_void_p, POINTER(c_int32), POINTER(c_double)),
        "tfc_score_ids": (c_void_p, POINTER(c_int32), c_size_t, POINTER(c_float)),
        "tfc_language_model_logits": (c_void_p, POINTER(c_int32), c_size_t, POINTER(c_float)),
        **RESULT_FUNCTIONS,
    }

    def score(self, row: Sequence[int]) -> np.ndarray:
        """Returns the log-probability of each id of a row, float32.

        Args:
            row: At most as many ids as the bundle's limit.
        """
        ids, scores = np.asarray(row, np.int32), np.empty(len(row), np.float32)
        self._check(
            self._library.tfc_score_ids(
                self._handle, int32_pointer(ids), len(ids), scores.ctypes.data_as(POINTER(c_float))
            )
        )
        return scores

    def search(
        self,
        prompt: Sequence[int],
        *,
        max_tokens: int,
        beam_size: int,
        n_best: int = 1,
        length_penalty: float = 1.0,
    ) -> list[Hypothesis]:
        """Continues a prompt with beam search.

        Args:
            prompt: Its ids, without begin and end ids.
            max_tokens: Most tokens to add, for which there is room.
            beam_size: Hypotheses that the search keeps.
            n_best: Hypotheses to return.
            length_penalty: The power of the length that log-probabilities are divided by.

        Returns:
            The hypotheses, best first.
        """
        ids = np.asarray(prompt, np.int32)
        options = GenerationOptions(
            max_tokens, beam_size=beam_size, n_best=n_best, length_penalty=length_penalty
        )
        return self._call(
            "tfc_generate_ids",
            int32_pointer(ids),
            len(ids),
            self._c_generation(options, max_tokens),
            result=CResult,
            take=lambda result: hypotheses(self._library, result),
        )

    def begin(self, prompt: Sequence[int], options: GenerationOptions, limit: int) -> None:
        """Begins to generate token by token.

        Args:
            prompt: The ids to begin with, without begin and end ids.
            options: How tokens are chosen.
            limit: Most tokens to add, for which there is room.
        """
        ids = np.asarray(prompt, np.int32)
        self._check(
            self._library.tfc_begin_ids(
                self._handle, int32_pointer(ids), len(ids), self._c_generation(options, limit)
            )
        )

    def next(self) -> tuple[int, float] | None:
        """Returns the next token and its log-probability, or None after the last.

        The end id is the last token where the model ends the text.
        """
        token, log_probability = c_int32(), c_double()
        self._check(
            self._library.tfc_next_id(
                self._handle, ctypes.byref(token), ctypes.byref(log_probability)
            )
        )
        return None if token.value < 0 else (token.value, log_probability.value)

    def logits(self, row: Sequence[int]) -> np.ndarray:
        """Returns the logits of all tokens after each prefix of a row.

        Args:
            row: Its ids, without the begin id; fewer than the bundle's limit.

        Returns:
            `[len(row) + 1, vocabulary]`, the first row after the begin id alone.
        """
        ids = np.asarray(row, np.int32)
        logits = np.empty([len(ids) + 1, self._bundle.vocabulary], np.float32)
        self._check(
            self._library.tfc_language_model_logits(
                self._handle, int32_pointer(ids), len(ids), logits.ctypes.data_as(POINTER(c_float))
            )
        )
        return logits

    def _c_generation(self, options, limit):
        return ctypes.byref(
            CGeneration(
                ctypes.sizeof(CGeneration),
                limit,
                options.beam_size,
                options.n_best,
                min(options.top_k or 0, 2**31 - 1),
                options.length_penalty,
                options.temperature,
                options.drawn_seed() if options.temperature else 0,
                self._interruption.callback,
            )
        )
