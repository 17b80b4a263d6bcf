"""Where the native runtime is."""

import functools
import hashlib
import os
import platform
from pathlib import Path

from tfcompress.errors import InputError

_PACKAGE = Path(__file__).parents[1]
# Beside the package in a checkout, within it when installed.
SOURCES = next(
    folder
    for folder in (_PACKAGE / "native", _PACKAGE.parent / "export" / "native")
    if folder.is_dir()
)
LIBRARY = "libtfcompress.so"
PROGRAM = "tfcompress-benchmark"
MODELS_PROGRAM = "tfcompress-models"
ROOFLINE_PROGRAM = "tfcompress-roofline"
TARGETS = ("x86_64-linux", "aarch64-linux", "aarch64-android")
HOST = f"{platform.machine()}-{platform.system().lower()}"
_VARIABLE = "TFCOMPRESS_NATIVE"


def native_library() -> Path | None:
    """Returns the native runtime's library for this machine, or None where there is none.

    It is what `tfcompress build-native` built of these very sources, or the library (or its folder)
    that the environment variable `TFCOMPRESS_NATIVE` names; with that variable set to 0, none is
    used.

    Raises:
        InputError: If the variable names no file.

    Example:

    >>> native_library() is None
    False
    """
    chosen = os.environ.get(_VARIABLE)
    if chosen == "0":
        return None
    if chosen:
        path = Path(chosen) / LIBRARY if Path(chosen).is_dir() else Path(chosen)
        if not path.is_file():
            raise InputError(
                f"`{_VARIABLE}` names no native runtime. Received: {chosen}. Give {LIBRARY} or the "
                "folder that `tfcompress build-native --output` wrote, or 0 to do without."
            )
        return path
    library = native_folder(HOST) / LIBRARY
    return library if library.is_file() else None


def wanted_library(native: bool | None) -> Path | None:
    """Returns the library to use, or None for Python.

    Args:
        native: Whether it is the native runtime; None: where there is one.

    Raises:
        InputError: The native runtime is asked for and not built.

    Example:

    >>> wanted_library(False) is None
    True
    """
    library = None if native is False else native_library()
    if native and library is None:
        raise InputError(
            "`native` needs the native runtime, which is not built. Received: native=True. Run "
            "`tfcompress build-native`, or leave it out."
        )
    return library


def native_folder(target: str) -> Path:
    """Returns the folder of the user's cache where what is built of these sources goes.

    Args:
        target: The type of device.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "tfcompress" / f"native-{_sources_hash()}" / target


@functools.cache
def _sources_hash():
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(SOURCES).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
