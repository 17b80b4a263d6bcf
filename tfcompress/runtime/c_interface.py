"""The structures of `tfcompress.h`."""

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_size_t, c_void_p

PROGRESS = ctypes.CFUNCTYPE(c_int32, c_void_p)
"""`tfc_progress_callback`: is told how far a text is, and says whether to go on."""


class COptions(ctypes.Structure):
    """`tfc_options`: how to open a bundle."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("num_threads", c_int32),
        ("verify", c_int32),
        ("library", c_char_p),
    ]


class CIds(ctypes.Structure):
    """`tfc_ids`: some ids."""

    _fields_ = [("ids", POINTER(c_int32)), ("num_ids", c_size_t)]


class CSearch(ctypes.Structure):
    """`tfc_search`: how to search."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("beam_size", c_int32),
        ("n_best", c_int32),
        ("max_length", c_int32),
        ("split", c_int32),
        ("with_scores", c_int32),
        ("length_penalty", c_double),
        ("target_prefix", c_char_p),
        ("target_prefix_ids", CIds),
        ("banned_words", POINTER(c_char_p)),
        ("num_banned_words", c_size_t),
        ("banned_ids", POINTER(CIds)),
        ("num_banned_ids", c_size_t),
        ("split_sentences", c_int32),
        ("markup", c_int32),
        ("on_progress", PROGRESS),
        ("user_data", c_void_p),
    ]


class CHypothesis(ctypes.Structure):
    """`tfc_hypothesis`: a translation."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("text", c_char_p),
        ("ids", POINTER(c_int32)),
        ("num_ids", c_size_t),
        ("log_probability", c_double),
        ("score", c_double),
    ]


class CResult(ctypes.Structure):
    """`tfc_result`: the translations of one text."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("num_hypotheses", c_size_t),
        ("hypotheses", POINTER(POINTER(CHypothesis))),
        ("num_parts", c_size_t),
    ]


class COutput(ctypes.Structure):
    """`tfc_output`: a result of a text encoder."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("rows", c_size_t),
        ("width", c_size_t),
        ("values", POINTER(c_float)),
    ]


class CEncoding(ctypes.Structure):
    """`tfc_encoding`: the results of one text."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("num_ids", c_size_t),
        ("ids", POINTER(c_int32)),
        ("num_outputs", c_size_t),
        ("outputs", POINTER(POINTER(COutput))),
    ]
