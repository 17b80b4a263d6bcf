"""LiteRT's C library for other machines."""

import importlib.metadata
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import ai_edge_litert

from tfcompress.errors import InputError
from tfcompress.runtime.native_files import HOST, native_folder

_LIBRARY = "libLiteRt.so"
_PACKAGE = "ai-edge-litert"
_PLATFORMS = {
    "x86_64-linux": ("manylinux_2_27_x86_64", "manylinux_2_28_x86_64"),
    "aarch64-linux": ("manylinux_2_27_aarch64", "manylinux_2_28_aarch64"),
}


def litert_library(target: str) -> Path:
    """Returns LiteRT's library for a type of device, of the version that is installed here.

    That of another Linux machine is taken from its wheel, which pip downloads once.

    Args:
        target: The type of device.

    Raises:
        InputError: If there is none, or the wheel cannot be had.

    Example:

    >>> litert_library("x86_64-linux").name
    'libLiteRt.so'
    """
    if target == HOST:
        return Path(ai_edge_litert.__path__[0]) / _LIBRARY
    if target not in _PLATFORMS:
        raise InputError(
            f"No wheel has LiteRT's library for the target. Received: {target}. Give `library`, "
            "for instance that of LiteRT's AAR."
        )
    version = importlib.metadata.version(_PACKAGE)
    library = native_folder(target).parents[1] / f"litert-{version}" / target / _LIBRARY
    if not library.is_file():
        library.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            wheel = _download(f"{_PACKAGE}=={version}", _PLATFORMS[target], folder)
            with zipfile.ZipFile(wheel) as archive:
                extracted = archive.extract(f"ai_edge_litert/{_LIBRARY}", folder)
            Path(extracted).replace(library)
    return library


def _download(requirement, platforms, folder):
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", folder]
    command += ["--only-binary", ":all:", *(f"--platform={name}" for name in platforms)]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
    wheels = list(Path(folder).glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel"])[-1]
        raise InputError(
            f"LiteRT cannot be downloaded. Received: {requirement} ({reason}). Give `library`."
        )
    return wheels[0]
