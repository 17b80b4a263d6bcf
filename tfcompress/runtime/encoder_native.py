"""Text encoders in the native runtime, called through its C interface."""

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_void_p
from pathlib import Path

import numpy as np

from tfcompress.runtime.c_interface import CEncoding, COptions
from tfcompress.runtime.encoder_bundle import EncoderBundle
from tfcompress.runtime.native import check_status, litert_options, load_library
from tfcompress.runtime.quiet import quiet_stderr


class NativeEncoder:
    """Runs a text encoder with the native runtime.

    Not safe for use by several threads at once.

    Args:
        library: What `native_library` returned.
        bundle: What `open_encoder_bundle` returned.
        num_threads: Threads that LiteRT may use.

    Raises:
        InputError: The library does not load, or cannot run the bundle.

    Example:

    >>> engine = NativeEncoder(native_library(), open_encoder_bundle("sentiment"))
    >>> engine.run(engine.tokenize("It runs."))["logits"]
    array([-1.2,  1.4], dtype=float32)
    """

    def __init__(self, library: Path, bundle: EncoderBundle, *, num_threads: int = 1):
        self._library = load_library(library, _declare)
        self._outputs = bundle.outputs
        self._handle = c_void_p()
        options = litert_options(num_threads)
        with quiet_stderr():
            status = self._library.tfc_open_encoder(
                str(bundle.path).encode(), ctypes.byref(options), ctypes.byref(self._handle)
            )
        check_status(self._library, status)

    def tokenize(self, text: str) -> list[int]:
        """Returns the ids of a text, however long, begin and end included.

        Args:
            text: The text.
        """
        data = text.encode()
        return self._call(
            self._library.tfc_encoder_tokenize, data, len(data), take=lambda e: e.ids[: e.num_ids]
        )

    def run(self, ids: Sequence[int], types: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        """Encodes ids.

        Args:
            ids: Ids of a text, begin and end marks included.
            types: Their token types; 0 by default.

        Returns:
            The results by name: `[width]`, or `[len(ids), width]`.
        """
        ids, types = (None if x is None else np.asarray(x, np.int32) for x in (ids, types))
        pointers = (None if x is None else x.ctypes.data_as(POINTER(c_int32)) for x in (ids, types))
        return self._call(self._library.tfc_encode_ids, *pointers, len(ids), take=self._results)

    def encode(self, text: str, ids: Sequence[int]) -> dict[str, np.ndarray]:
        """Encodes a text, which unlike `run` may name padding.

        Args:
            text: The text.
            ids: What `tokenize` gives for it, cut to the bundle's limit.

        Returns:
            As `run`.
        """
        data = text.encode()
        return self._call(self._library.tfc_encode, data, len(data), True, take=self._results)

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        self._library.tfc_free_encoder(self._handle)
        self._handle = c_void_p()

    def _results(self, encoding):
        results = {}
        for one in encoding.outputs[: encoding.num_outputs]:
            values = np.ctypeslib.as_array(one.values, (one.rows, one.width)).copy()
            name = one.name.decode()
            results[name] = values if self._outputs[name].per_token else values[0]
        return results

    def _call(self, function, *arguments, take):
        encoding = POINTER(CEncoding)()
        status = function(self._handle, *arguments, ctypes.byref(encoding))
        check_status(self._library, status)
        try:
            return take(encoding.contents)
        finally:
            self._library.tfc_free_encoding(encoding)


def _declare(library):
    library.tfc_open_encoder.argtypes = (c_char_p, POINTER(COptions), POINTER(c_void_p))
    library.tfc_free_encoder.argtypes = (c_void_p,)
    library.tfc_free_encoder.restype = None
    library.tfc_encoder_tokenize.argtypes = (
        c_void_p,
        c_char_p,
        c_size_t,
        POINTER(POINTER(CEncoding)),
    )
    library.tfc_encode.argtypes = (
        c_void_p,
        c_char_p,
        c_size_t,
        c_int32,
        POINTER(POINTER(CEncoding)),
    )
    library.tfc_encode_ids.argtypes = (
        c_void_p,
        POINTER(c_int32),
        POINTER(c_int32),
        c_size_t,
        POINTER(POINTER(CEncoding)),
    )
    library.tfc_free_encoding.argtypes = (POINTER(CEncoding),)
    library.tfc_free_encoding.restype = None
