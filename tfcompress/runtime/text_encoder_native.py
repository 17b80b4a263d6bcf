"""Text encoders in the native runtime."""

from collections.abc import Sequence
from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_void_p

import numpy as np

from tfcompress.runtime.c_interface import CEncoding
from tfcompress.runtime.native import NativeEngine, int32_pointer
from tfcompress.runtime.text_encoder_bundle import TextEncoderBundle


class NativeTextEncoderEngine(NativeEngine[TextEncoderBundle]):
    """Runs a text encoder with the native runtime; see `Engine`."""

    opens, frees, frees_result = "tfc_open_encoder", "tfc_free_encoder", "tfc_free_encoding"
    functions = {
        "tfc_encoder_tokenize": (c_void_p, c_char_p, c_size_t, POINTER(POINTER(CEncoding))),
        "tfc_encode": (c_void_p, c_char_p, c_size_t, c_int32, POINTER(POINTER(CEncoding))),
        "tfc_encode_ids": (
            c_void_p,
            POINTER(c_int32),
            POINTER(c_int32),
            c_size_t,
            POINTER(POINTER(CEncoding)),
        ),
        "tfc_free_encoding": (POINTER(CEncoding),),
    }

    def tokenize(self, text: str) -> list[int]:
        """Returns the ids of a text, however long, begin and end included.

        Args:
            text: The text.
        """
        data = text.encode()
        return self._call(
            "tfc_encoder_tokenize",
            data,
            len(data),
            result=CEncoding,
            take=lambda encoding: encoding.ids[: encoding.num_ids],
        )

    def run(self, ids: Sequence[int], types: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        """Encodes ids.

        Args:
            ids: Ids of a text, begin and end marks included.
            types: Their token types; 0 by default.

        Returns:
            The results by name: `[width]`, or `[len(ids), width]`.
        """
        rows = [None if row is None else np.asarray(row, np.int32) for row in (ids, types)]
        pointers = map(int32_pointer, rows)
        return self._call(
            "tfc_encode_ids", *pointers, len(ids), result=CEncoding, take=self._results
        )

    def encode(self, text: str, ids: Sequence[int]) -> dict[str, np.ndarray]:
        """Encodes a text, which unlike `run` may name padding.

        Args:
            text: The text.
            ids: What `tokenize` gives for it, cut to the bundle's limit.

        Returns:
            As `run`.
        """
        data = text.encode()
        return self._call("tfc_encode", data, len(data), True, result=CEncoding, take=self._results)

    def _results(self, encoding):
        results = {}
        for pointer in encoding.outputs[: encoding.num_outputs]:
            one = pointer.contents
            values = np.ctypeslib.as_array(one.values, (one.rows, one.width)).copy()
            name = one.name.decode()
            results[name] = values if self._bundle.outputs[name].per_token else values[0]
        return results
