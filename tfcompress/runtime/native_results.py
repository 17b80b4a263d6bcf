"""The hypotheses that the native runtime gives."""

import ctypes
from ctypes import POINTER, byref, c_double, c_float, c_int32, c_size_t

import numpy as np

from tfcompress.runtime.c_interface import CResult
from tfcompress.runtime.search import Hypothesis

_Ids, _Scores, _Weights = POINTER(c_int32), POINTER(c_double), POINTER(c_float)
RESULT_FUNCTIONS = {
    "tfc_token_scores": (
        POINTER(CResult),
        c_size_t,
        POINTER(_Ids),
        POINTER(_Scores),
        POINTER(c_size_t),
    ),
    "tfc_alignment": (
        POINTER(CResult),
        c_size_t,
        POINTER(_Weights),
        POINTER(c_size_t),
        POINTER(c_size_t),
    ),
    "tfc_free_result": (POINTER(CResult),),
}
"""The functions that are called with a result, and their arguments."""


def hypotheses(library: ctypes.CDLL, result: CResult) -> list[Hypothesis]:
    """Returns the hypotheses of a result, best first.

    Args:
        library: The native runtime.
        result: What it gave.
    """
    return [_hypothesis(library, result, number) for number in range(result.num_hypotheses)]


def _hypothesis(library, result, number):
    one = result.hypotheses[number].contents
    ids, scores, weights = _Ids(), _Scores(), _Weights()
    rows, columns = c_size_t(), c_size_t()
    library.tfc_token_scores(byref(result), number, byref(ids), byref(scores), byref(rows))
    token_ids, token_scores = ids[: rows.value], scores[: rows.value]
    library.tfc_alignment(byref(result), number, byref(weights), byref(rows), byref(columns))
    shape = rows.value, columns.value
    return Hypothesis(
        one.ids[: one.num_ids],
        one.log_probability,
        one.score,
        token_ids=token_ids,
        token_scores=token_scores,
        # Freed with the result.
        part_alignments=[np.ctypeslib.as_array(weights, shape).copy()] if weights else None,
    )
