"""The native runtime, called through its C interface."""

import ctypes
from collections.abc import Callable, Sequence
from ctypes import POINTER, c_char_p, c_float, c_int32, c_size_t, c_void_p
from pathlib import Path

import ai_edge_litert
import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.bundle import Bundle
from tfcompress.runtime.c_interface import COptions, CResult, CSearch
from tfcompress.runtime.quiet import quiet_stderr
from tfcompress.runtime.search import Hypothesis
from tfcompress.search_options import SearchOptions

_RUNTIME_ERRORS = (5, 6)


class NativeEngine:
    """Translates ids with the native runtime.

    Not safe for use by several threads at once.

    Args:
        library: What `native_library` returned.
        bundle: What `open_bundle` returned.
        num_threads: Threads that LiteRT may use.

    Raises:
        InputError: The library does not load, or cannot run the bundle.

    Example:

    >>> engine = NativeEngine(native_library(), open_bundle("en-de"))
    >>> engine.search([57, 391], beam_size=1)[0].ids
    [12, 804]
    """

    def __init__(self, library: Path, bundle: Bundle, *, num_threads: int = 1):
        self._library = load_library(library, _declare)
        self._bundle = bundle
        self._handle = c_void_p()
        options = litert_options(num_threads)
        with quiet_stderr():
            status = self._library.tfc_open(
                str(bundle.path).encode(), ctypes.byref(options), ctypes.byref(self._handle)
            )
        check_status(self._library, status)

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
        """Translates a sentence.

        Args:
            ids: Its ids, without the end id.
            beam_size: Hypotheses that the search keeps; 1 is greedy search.
            n_best: Hypotheses to return.
            max_length: Most tokens, the end id included, where fewer than the bundle's are wanted.
            length_penalty: The power of the length that log-probabilities are divided by.
            with_scores: Whether greedy search computes scores too.

        Returns:
            The hypotheses, best first.

        Raises:
            InputError: An option is impossible.
        """
        SearchOptions(beam_size, length_penalty, n_best, max_length)
        source = np.asarray(ids, np.int32)
        search = CSearch(
            ctypes.sizeof(CSearch),
            beam_size,
            n_best,
            min(max_length or 0, self._bundle.max_target_length),
            False,
            with_scores,
            length_penalty,
        )
        result = POINTER(CResult)()
        status = self._library.tfc_translate_ids(
            self._handle,
            source.ctypes.data_as(POINTER(c_int32)),
            len(source),
            ctypes.byref(search),
            ctypes.byref(result),
        )
        check_status(self._library, status)
        try:
            found = result.contents
            return [
                Hypothesis(one.ids[: one.num_ids], one.log_probability, one.score)
                for one in found.hypotheses[: found.num_hypotheses]
            ]
        finally:
            self._library.tfc_free_result(result)

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
        status = self._library.tfc_logits(
            self._handle,
            source.ctypes.data_as(POINTER(c_int32)),
            len(source),
            forced.ctypes.data_as(POINTER(c_int32)),
            len(forced),
            logits.ctypes.data_as(POINTER(c_float)),
        )
        check_status(self._library, status)
        return logits

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._library.tfc_free_translator(self._handle)
        self._handle = c_void_p()


def litert_options(num_threads: int) -> COptions:
    """Returns how to open a bundle whose files are checked already.

    Args:
        num_threads: Threads that LiteRT may use.
    """
    litert = next(Path(ai_edge_litert.__file__).parent.glob("libLiteRt.*"), None)
    return COptions(
        ctypes.sizeof(COptions), num_threads, False, str(litert).encode() if litert else None
    )


def check_status(library: ctypes.CDLL, status: int) -> None:
    """Makes sure that a call succeeded.

    Args:
        library: What `load_library` returned.
        status: What the call returned.

    Raises:
        InputError: If it failed for what it was given.
        RuntimeError: If it failed otherwise.
    """
    if status:
        message = library.tfc_last_error().decode(errors="replace")
        raise (RuntimeError if status in _RUNTIME_ERRORS else InputError)(message)


def load_library(path: Path, declare: Callable[[ctypes.CDLL], None]) -> ctypes.CDLL:
    """Loads the native runtime.

    Args:
        path: What `native_library` returned.
        declare: Declares the functions that are used.

    Raises:
        InputError: It does not load, or lacks a function.
    """
    try:
        library = ctypes.CDLL(str(path))
        library.tfc_last_error.restype = c_char_p
        declare(library)
    except (OSError, AttributeError) as error:
        raise InputError(
            f"{path}: is no native runtime for this machine ({error}); build it again with "
            "`tfcompress build-native`, or set TFCOMPRESS_NATIVE=0 to do without"
        ) from None
    return library


def _declare(library):
    library.tfc_open.argtypes = (c_char_p, POINTER(COptions), POINTER(c_void_p))
    library.tfc_free_translator.argtypes = (c_void_p,)
    library.tfc_free_translator.restype = None
    library.tfc_translate_ids.argtypes = (
        c_void_p,
        POINTER(c_int32),
        c_size_t,
        POINTER(CSearch),
        POINTER(POINTER(CResult)),
    )
    library.tfc_logits.argtypes = (
        c_void_p,
        POINTER(c_int32),
        c_size_t,
        POINTER(c_int32),
        c_size_t,
        POINTER(c_float),
    )
    library.tfc_free_result.argtypes = (POINTER(CResult),)
    library.tfc_free_result.restype = None
