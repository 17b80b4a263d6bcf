"""The native runtime, called through its C interface."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import POINTER, c_char_p, c_int32, c_void_p
from pathlib import Path
from typing import Any, ClassVar

import ai_edge_litert
import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.c_interface import COptions
from tfcompress.runtime.engine import B, Engine
from tfcompress.runtime.interruption import Interruption
from tfcompress.runtime.quiet import quiet_stderr

_RUNTIME_ERRORS = (5, 6, 7, 8)


class NativeEngine(Engine[B]):
    """Runs a bundle with the native runtime; see `Engine`."""

    is_native = True

    # The C interface of this type of model: what opens a folder and what frees the model, what
    # frees a result, and the arguments of these and other functions.
    opens: ClassVar[str]
    frees: ClassVar[str]
    frees_result: ClassVar[str]
    functions: ClassVar[Mapping[str, Sequence]]

    @classmethod
    def is_wanted(cls, bundle: B) -> bool:
        """Returns whether it runs a bundle where nobody says what shall."""
        return True

    def _open(self, library, num_threads):
        self._library = _load(library, self._declare)
        self._handle = c_void_p()
        self._interruption = Interruption()
        options = _litert_options(num_threads)
        with quiet_stderr():
            status = getattr(self._library, self.opens)(
                str(self._bundle.path).encode(), ctypes.byref(options), ctypes.byref(self._handle)
            )
        self._check(status)

    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
        getattr(self._library, self.frees)(self._handle)
        self._handle = c_void_p()

    def _declare(self, library):
        getattr(library, self.opens).argtypes = (c_char_p, POINTER(COptions), POINTER(c_void_p))
        getattr(library, self.frees).argtypes = (c_void_p,)
        for name, arguments in self.functions.items():
            getattr(library, name).argtypes = arguments
        for name in (self.frees, self.frees_result):
            getattr(library, name).restype = None

    def _call(
        self, function: str, *arguments: Any, result: type, take: Callable[[Any], Any]
    ) -> Any:
        """Calls a function that gives a structure, and returns what is taken from that."""
        pointer = POINTER(result)()
        self._check(
            getattr(self._library, function)(self._handle, *arguments, ctypes.byref(pointer))
        )
        try:
            return take(pointer.contents)
        finally:
            getattr(self._library, self.frees_result)(pointer)

    def _check(self, status):
        self._interruption.check()
        if status:
            message = self._library.tfc_last_error().decode(errors="replace")
            raise (RuntimeError if status in _RUNTIME_ERRORS else InputError)(message)


def int32_pointer(values: np.ndarray | None) -> Any:
    """Returns the pointer to an array of int32, which must outlive it, or None."""
    return None if values is None else values.ctypes.data_as(POINTER(c_int32))


def _litert_options(num_threads):
    """How to open a bundle whose files are checked already."""
    litert = next(Path(ai_edge_litert.__path__[0]).glob("libLiteRt.*"), None)
    return COptions(
        ctypes.sizeof(COptions), num_threads, False, str(litert).encode() if litert else None
    )


def _load(path, declare):
    try:
        library = ctypes.CDLL(str(path))
        library.tfc_last_error.restype = c_char_p
        declare(library)
    except (OSError, AttributeError) as error:
        raise InputError(
            f"The native runtime cannot be loaded. Received: {path} ({error}). Build it again with "
            "`tfcompress build-native`, or set TFCOMPRESS_NATIVE=0 to do without."
        ) from None
    return library
