"""Tensor buffers of LiteRT as numpy arrays."""

import contextlib
import ctypes
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ai_edge_litert
import numpy as np
from ai_edge_litert.tensor_buffer import TensorBuffer

from tfcompress.errors import InputError


class HostBuffer:
    """A tensor buffer and the array that reads and writes it.

    Where LiteRT's C library gives the address of the buffer, the array is the buffer itself, and
    `upload` and `download` do nothing. Elsewhere the array is a copy that they keep in step.

    Args:
        tensor: The buffer.
        shape: Its shape.
        dtype: Its type.

    Attributes:
        tensor: The buffer.
        array: The array.
        is_copy: Whether the array is a copy.

    Raises:
        InputError: LiteRT has made the buffer smaller, as it does for outputs of a model whose
            shapes it learns only when the model runs.
    """

    def __init__(self, tensor: TensorBuffer, shape: Sequence[int], dtype: type):
        self.tensor = tensor
        _check_size(tensor, math.prod(shape) * np.dtype(dtype).itemsize)
        address = _host_address(tensor)
        self.is_copy = address is None
        if address is None:
            self.array = np.zeros(shape, dtype)
            self.upload()
            return
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory: Any = (ctypes.c_char * size).from_address(address)
        memory.owner = tensor  # the memory lives as long as an array that looks at it
        self.array = np.frombuffer(memory, dtype).reshape(shape)
        self.array[...] = 0

    def upload(self) -> None:
        """Makes what was written to the array visible to LiteRT."""
        if self.is_copy:
            self.tensor.write(self.array)

    def download(self) -> None:
        """Makes what LiteRT wrote visible in the array."""
        if self.is_copy:
            self.array.reshape(-1)[:] = self.tensor.read(self.array.size, self.array.dtype)


def _load_function(name: str, result: type) -> Callable | None:
    """Returns a function of LiteRT that gives something of a buffer, if it can be called."""
    library = next(Path(ai_edge_litert.__path__[0]).glob("libLiteRt.*"), None)
    if library is None:
        return None
    with contextlib.suppress(OSError, AttributeError):
        function = getattr(ctypes.CDLL(str(library)), name)
        function.argtypes = (ctypes.c_void_p, ctypes.POINTER(result))
        return function
    return None


_get_host_memory = _load_function("LiteRtGetTensorBufferHostMemory", ctypes.c_void_p)
_get_size = _load_function("LiteRtGetTensorBufferSize", ctypes.c_size_t)
_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype = ctypes.c_void_p
_get_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)


def _host_address(tensor: TensorBuffer) -> int | None:
    """Returns where the buffer lies in memory, or None where that cannot be known."""
    if _get_host_memory is None:
        return None
    address = ctypes.c_void_p()
    return None if _get_host_memory(_handle(tensor), ctypes.byref(address)) else address.value


def _check_size(tensor: TensorBuffer, size: int) -> None:
    actual = ctypes.c_size_t()
    if _get_size is None or _get_size(_handle(tensor), ctypes.byref(actual)):
        return
    if actual.value < size:
        raise InputError(
            "A tensor's shape must not depend on what the model computes. Received: "
            f"{actual.value} bytes instead of {size}. Take masks over positions from "
            "`padding_mask` in the layers' `step`, and export the bundle again."
        )


def _handle(tensor: TensorBuffer) -> int:
    return _get_pointer(tensor.capsule, b"LiteRtTensorBuffer")
