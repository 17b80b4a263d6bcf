"""The C interface of the native runtime, as an app in C sees it."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_size_t, c_uint64, c_void_p
from pathlib import Path

import ai_edge_litert

LITERT = next(Path(ai_edge_litert.__file__).parent.glob("libLiteRt.*"))


class Options(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("num_threads", c_int32),
        ("verify", c_int32),
        ("library", c_char_p),
    ]


class File(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("data", c_char_p), ("size", c_size_t)]


class Search(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("beam_size", c_int32),
        ("n_best", c_int32),
        ("max_length", c_int32),
        ("split", c_int32),
        ("with_scores", c_int32),
        ("length_penalty", c_double),
    ]


class Hypothesis(ctypes.Structure):
    _fields_ = [
        ("text", c_char_p),
        ("ids", POINTER(c_int32)),
        ("num_ids", c_size_t),
        ("log_probability", c_double),
        ("score", c_double),
    ]


class Result(ctypes.Structure):
    _fields_ = [("num_hypotheses", c_size_t), ("hypotheses", POINTER(Hypothesis))]


class Info(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("source_vocabulary", c_int32),
        ("target_vocabulary", c_int32),
        ("max_source_length", c_int32),
        ("max_target_length", c_int32),
        ("bundle_bytes", c_uint64),
    ]


class NativeError(Exception):
    """A status that is not TFC_OK, and the message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class NativeLibrary:
    """Calls the functions of `tfcompress.h`."""

    def __init__(self, path):
        self.c = ctypes.CDLL(str(path))
        self.c.tfc_last_error.restype = c_char_p
        self.c.tfc_version.restype = c_char_p
        self.c.tfc_free_translator.argtypes = (c_void_p,)
        self.c.tfc_free_result.argtypes = (c_void_p,)

    def check(self, status):
        if status:
            raise NativeError(status, self.c.tfc_last_error().decode())

    def options(self, **changes):
        values = {"num_threads": 1, "verify": 1, "library": str(LITERT).encode()} | changes
        return Options(**{"struct_size": ctypes.sizeof(Options)} | values)

    def open(self, folder, **changes):
        handle = c_void_p()
        options = self.options(**changes)
        self.check(self.c.tfc_open(str(folder).encode(), byref(options), byref(handle)))
        return handle

    def open_memory(self, files, **changes):
        handle = c_void_p()
        options = self.options(**changes)
        array = (File * len(files))(
            *(File(name.encode(), data, len(data)) for name, data in files.items())
        )
        self.check(self.c.tfc_open_memory(array, len(files), byref(options), byref(handle)))
        return handle

    def free(self, handle):
        self.c.tfc_free_translator(handle)

    def describe(self, handle):
        info = Info(struct_size=ctypes.sizeof(Info))
        self.check(self.c.tfc_describe(handle, byref(info)))
        return info

    def translate(self, handle, text, **changes):
        """Returns `(text, ids, score)` of every hypothesis."""
        data = text if isinstance(text, bytes) else text.encode()
        return self._call(self.c.tfc_translate, handle, data, len(data), changes)

    def translate_ids(self, handle, ids, **changes):
        array = (c_int32 * len(ids))(*ids)
        return self._call(self.c.tfc_translate_ids, handle, array, len(ids), changes)

    def tokenize(self, handle, text):
        data = text.encode()
        result = POINTER(Result)()
        status = self.c.tfc_tokenize(handle, data, c_size_t(len(data)), byref(result))
        return self._take(status, result)[0][1]

    def _call(self, function, handle, data, size, changes):
        values = {"beam_size": 1, "n_best": 1, "split": 1, "length_penalty": 1.0} | changes
        search = Search(**{"struct_size": ctypes.sizeof(Search)} | values)
        result = POINTER(Result)()
        status = function(handle, data, c_size_t(size), byref(search), byref(result))
        return self._take(status, result)

    def _take(self, status, result):
        self.check(status)
        found = result.contents
        taken = [
            (one.text.decode() if one.text is not None else None, one.ids[: one.num_ids], one.score)
            for one in found.hypotheses[: found.num_hypotheses]
        ]
        self.c.tfc_free_result(result)
        return taken
