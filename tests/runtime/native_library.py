"""The C interface of the native runtime, as an app in C sees it."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_float, c_int32, c_size_t, c_uint64, c_void_p
from pathlib import Path

import ai_edge_litert
import numpy as np

from tfcompress.runtime.c_interface import CEncoding, COptions, COutput, CResult, CSearch

LITERT = next(Path(ai_edge_litert.__file__).parent.glob("libLiteRt.*"))


class File(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("data", c_char_p),
        ("size", c_size_t),
        ("descriptor", c_int32),
        ("reserved", c_int32),
        ("offset", c_uint64),
    ]


class Text(ctypes.Structure):
    _fields_ = [("text", c_char_p), ("size", c_size_t)]


class Info(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("source_vocabulary", c_int32),
        ("target_vocabulary", c_int32),
        ("max_source_length", c_int32),
        ("max_target_length", c_int32),
        ("bundle_bytes", c_uint64),
    ]


class EncoderInfo(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("head", c_char_p),
        ("vocabulary", c_int32),
        ("token_types", c_int32),
        ("max_length", c_int32),
        ("num_labels", c_size_t),
        ("bundle_bytes", c_uint64),
    ]


class NativeError(Exception):
    """A status that is not TFC_OK, and the message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class NativeLibrary:
    """Calls the functions of `tfcompress.h`.

    Attributes:
        num_parts: How many parts the last text was translated in.
    """

    def __init__(self, path):
        self.c = ctypes.CDLL(str(path))
        self.c.tfc_last_error.restype = c_char_p
        self.c.tfc_version.restype = c_char_p
        self.c.tfc_free_translator.argtypes = (c_void_p,)
        self.c.tfc_free_result.argtypes = (c_void_p,)
        self.c.tfc_free_encoder.argtypes = (c_void_p,)
        self.c.tfc_free_encoding.argtypes = (c_void_p,)
        self.c.tfc_encoder_label.argtypes = (c_void_p, c_size_t)
        self.c.tfc_encoder_label.restype = c_char_p

    def check(self, status):
        if status:
            raise NativeError(status, self.c.tfc_last_error().decode())

    def options(self, **changes):
        values = {"num_threads": 1, "verify": 1, "library": str(LITERT).encode()} | changes
        return COptions(**{"struct_size": ctypes.sizeof(COptions)} | values)

    def open(self, folder, **changes):
        handle = c_void_p()
        options = self.options(**changes)
        self.check(self.c.tfc_open(str(folder).encode(), byref(options), byref(handle)))
        return handle

    def open_memory(self, files, **changes):
        return self._open_memory(self.c.tfc_open_files, files, changes)

    def _open_memory(self, function, files, changes):
        handle = c_void_p()
        options = self.options(**changes)
        array = (File * len(files))(
            *(
                File(ctypes.sizeof(File), name.encode(), data, len(data), -1)
                for name, data in files.items()
            )
        )
        self.check(function(array, len(files), byref(options), byref(handle)))
        return handle

    def open_encoder(self, folder, **changes):
        handle = c_void_p()
        options = self.options(**changes)
        self.check(self.c.tfc_open_encoder(str(folder).encode(), byref(options), byref(handle)))
        return handle

    def open_encoder_memory(self, files, **changes):
        return self._open_memory(self.c.tfc_open_encoder_files, files, changes)

    def free_encoder(self, handle):
        self.c.tfc_free_encoder(handle)

    def describe_encoder(self, handle):
        info = EncoderInfo(struct_size=ctypes.sizeof(EncoderInfo))
        self.check(self.c.tfc_describe_encoder(handle, byref(info)))
        return info

    def encode(self, handle, text, cut=0):
        """Returns the ids and the results by name."""
        data = text if isinstance(text, bytes) else text.encode()
        return self._encoding(self.c.tfc_encode, handle, data, c_size_t(len(data)), cut)

    def encode_ids(self, handle, ids, types=None):
        ids = (c_int32 * len(ids))(*ids)
        types = None if types is None else (c_int32 * len(types))(*types)
        return self._encoding(self.c.tfc_encode_ids, handle, ids, types, c_size_t(len(ids)))

    def probabilities(self, handle, logits):
        logits = np.ascontiguousarray(logits, np.float32)
        data = logits.ctypes.data_as(POINTER(c_float))
        output = COutput(ctypes.sizeof(COutput), b"logits", *logits.shape, data)
        actual = np.zeros_like(logits)
        pointer = actual.ctypes.data_as(POINTER(c_float))
        self.check(self.c.tfc_probabilities(handle, byref(output), pointer))
        return actual

    def encoder_tokenize(self, handle, text):
        data = text.encode()
        return self._encoding(self.c.tfc_encoder_tokenize, handle, data, c_size_t(len(data)))[0]

    def _encoding(self, function, *arguments):
        encoding = POINTER(CEncoding)()
        self.check(function(*arguments, byref(encoding)))
        actual = encoding.contents
        results = {
            one.name.decode(): np.ctypeslib.as_array(one.values, (one.rows, one.width)).copy()
            for one in (each.contents for each in actual.outputs[: actual.num_outputs])
        }
        ids = actual.ids[: actual.num_ids]
        self.c.tfc_free_encoding(encoding)
        return ids, results

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

    def translate_chain(self, handles, text, **changes):
        """The same of what the translator before gave."""
        array = (c_void_p * len(handles))(*(getattr(one, "value", one) for one in handles))

        def function(array, *arguments):
            return self.c.tfc_translate_chain(array, c_size_t(len(handles)), *arguments)

        return self._call(function, array, text.encode(), len(text.encode()), changes)

    def translate_batch(self, handle, texts, batch_size, **changes):
        """The same of each of several texts."""
        data = [text if isinstance(text, bytes) else text.encode() for text in texts]
        array = (Text * len(data))(*(Text(one, len(one)) for one in data))
        search, results = self._search(changes), (POINTER(CResult) * len(data))()
        status = self.c.tfc_translate_batch(
            handle, array, c_size_t(len(data)), batch_size, byref(search), results
        )
        assert not status or not any(results)
        self.check(status)
        return [self._take(0, result) for result in results]

    def translate_ids(self, handle, ids, **changes):
        array = (c_int32 * len(ids))(*ids)
        return self._call(self.c.tfc_translate_ids, handle, array, len(ids), changes)

    def tokenize(self, handle, text):
        data = text.encode()
        result = POINTER(CResult)()
        status = self.c.tfc_tokenize(handle, data, c_size_t(len(data)), byref(result))
        return self._take(status, result)[0][1]

    def _call(self, function, handle, data, size, changes):
        search, result = self._search(changes), POINTER(CResult)()
        status = function(handle, data, c_size_t(size), byref(search), byref(result))
        return self._take(status, result)

    def _search(self, changes):
        values = {"beam_size": 1, "n_best": 1, "split": 1, "length_penalty": 1.0} | changes
        return CSearch(**{"struct_size": ctypes.sizeof(CSearch)} | values)

    def _take(self, status, result):
        self.check(status)
        actual = result.contents
        self.num_parts = actual.num_parts
        taken = [
            (one.text.decode() if one.text is not None else None, one.ids[: one.num_ids], one.score)
            for one in (each.contents for each in actual.hypotheses[: actual.num_hypotheses])
        ]
        self.c.tfc_free_result(result)
        return taken
