"""Keras models of the user's own in the native runtime."""

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_void_p

import numpy as np

from tfcompress.errors import InputError
from tfcompress.runtime.keras_bundle import KerasBundle
from tfcompress.runtime.native import NativeEngine

_TYPES = ("float32", "int32")


class CArray(ctypes.Structure):
    """`tfc_array`: an input or output."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("type", c_int32),
        ("rank", c_size_t),
        ("dims", POINTER(c_int32)),
        ("data", c_void_p),
    ]


class CArrays(ctypes.Structure):
    """`tfc_arrays`: the outputs of a run."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("num_arrays", c_size_t),
        ("arrays", POINTER(POINTER(CArray))),
    ]


class NativeKerasEngine(NativeEngine[KerasBundle]):
    """Runs a Keras model with the native runtime; see `Engine`."""

    opens, frees, frees_result = "tfc_open_model", "tfc_free_model", "tfc_free_arrays"
    functions = {
        "tfc_run_model": (c_void_p, c_char_p, c_size_t, POINTER(CArray), POINTER(POINTER(CArrays))),
        "tfc_free_arrays": (POINTER(CArrays),),
    }

    @classmethod
    def is_wanted(cls, bundle: KerasBundle) -> bool:
        """Python takes all types and operations, but for custom ones."""
        return bool(bundle.custom_ops)

    def _open(self, library, num_threads):
        for name, info in self._bundle.signatures.items():
            for key, tensor in {**info.inputs, **info.outputs}.items():
                if tensor.dtype not in _TYPES:
                    raise InputError(
                        "The native runtime takes and gives float32 and int32 only. Received: "
                        f"{key} of {name} with {tensor.dtype}. Cast it in the model."
                    )
        super()._open(library, num_threads)

    def run(self, name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature; see `KerasEngine.run`."""
        inputs = (CArray * len(arrays))(*(_c_array(*item) for item in arrays.items()))
        return self._call(
            "tfc_run_model",
            name.encode(),
            len(arrays),
            inputs,
            result=CArrays,
            take=lambda arrays: {
                one.contents.name.decode(): _copied(one.contents)
                for one in arrays.arrays[: arrays.num_arrays]
            },
        )


def _c_array(name, array):
    dims = (c_int32 * array.ndim)(*array.shape)
    code = _TYPES.index(array.dtype.name)
    data = array.ctypes.data_as(c_void_p)
    return CArray(ctypes.sizeof(CArray), name.encode(), code, array.ndim, dims, data)


def _copied(array):
    shape, dtype = array.dims[: array.rank], np.dtype(_TYPES[array.type])
    content = ctypes.string_at(array.data, int(np.prod(shape)) * dtype.itemsize)
    return np.frombuffer(content, dtype).reshape(shape).copy()
