"""Builds the C++ tokenizers and calls them through their C interface."""

import ctypes
import json
import shutil
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[2] / "export" / "native"
FLAGS = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-fPIC", "-shared"]
_ERROR_SIZE = 400


def build(folder, flags=()):
    """Compiles the tokenizers' sources to a shared library."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if not compiler:
        pytest.skip("no C++ compiler found: install g++ or clang++ to test the tokenizer")
    path = folder / "tokenizer.so"
    sources = [*sorted((NATIVE / "tokenizer").glob("*.cc")), NATIVE / "common" / "json.cc"]
    command = [compiler, *FLAGS, *flags, "-I", NATIVE, *sources, "-o", path]
    subprocess.run([*map(str, command)], check=True)
    return path


def load(path):
    """Opens the library and declares its functions."""
    library = ctypes.CDLL(str(path))
    handle, size, error = ctypes.c_void_p, ctypes.c_size_t, [ctypes.c_char_p, ctypes.c_size_t]
    text, ids = [ctypes.c_char_p, size], ctypes.POINTER(ctypes.c_int32)
    for kind, opened in ("tokenizer", text), ("text_tokenizer", [*text, *text, *text]):
        spans = [ctypes.POINTER(size), size, *error]
        for name, result, arguments in [
            ("open", handle, [*opened, *error]),
            ("encode", ctypes.c_int64, [handle, *text, ids, size, *error]),
            ("decode", ctypes.c_int64, [handle, ids, size, *text, *error]),
            *[
                (f"{side}_spans", ctypes.c_int64, [handle, *given, *spans])
                for side, given in (("encode", text), ("decode", [ids, size]))
                if kind == "tokenizer"
            ],
            ("size", ctypes.c_int32, [handle]),
            ("close", None, [handle]),
        ]:
            function = getattr(library, f"tfc_{kind}_{name}")
            function.restype = result
            function.argtypes = arguments
    return library


class NativeTokenizer:
    """A tokenizer of the library; errors are ValueErrors.

    Args:
        library: What `load` gave.
        kind: "tokenizer" or "text_tokenizer".
        *contents: What is opened, bytes or None.
    """

    def __init__(self, library, kind, *contents):
        self._library = library
        self._prefix = f"tfc_{kind}_"
        self._error = ctypes.create_string_buffer(_ERROR_SIZE)
        arguments = [part for data in contents for part in (data, len(data or b""))]
        self.handle = self._function("open")(*arguments, self._error, _ERROR_SIZE)
        if not self.handle:
            raise ValueError(self._error.value.decode(errors="replace"))

    def _function(self, name):
        return getattr(self._library, self._prefix + name)

    def close(self):
        self._function("close")(self.handle)

    def size(self):
        return self._function("size")(self.handle)

    def encode(self, text, capacity=1000):
        ids = (ctypes.c_int32 * capacity)()
        count = self._function("encode")(
            self.handle, text, len(text), ids, capacity, self._error, _ERROR_SIZE
        )
        if count < 0:
            raise ValueError(self._error.value.decode())
        return ids[:count] if count <= capacity else self.encode(text, count)

    def decode(self, ids, capacity=1000):
        text = ctypes.create_string_buffer(capacity)
        array = (ctypes.c_int32 * len(ids))(*ids)
        count = self._function("decode")(
            self.handle, array, len(ids), text, capacity, self._error, _ERROR_SIZE
        )
        if count < 0:
            raise ValueError(self._error.value.decode())
        return text.raw[:count] if count <= capacity else self.decode(ids, count)

    def encode_spans(self, text):
        return self._spans("encode_spans", text, len(text), count=64 * len(text))

    def decode_spans(self, ids):
        array = (ctypes.c_int32 * len(ids))(*ids)
        return self._spans("decode_spans", array, len(ids), count=len(ids))

    def _spans(self, function, *arguments, count):
        spans = (ctypes.c_size_t * (2 * count))()
        actual = self._function(function)(
            self.handle, *arguments, spans, count, self._error, _ERROR_SIZE
        )
        assert 0 <= actual <= count, self._error.value
        return list(zip(spans[: 2 * actual : 2], spans[1 : 2 * actual : 2]))


def open_text_tokenizer(library, settings, files):
    """Opens the tokenizer that `settings()` and `files()` of one in Python describe."""
    contents = [*files.values(), None][:2]
    return NativeTokenizer(library, "text_tokenizer", json.dumps(settings).encode(), *contents)
