"""Builds the native runtime with CMake."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.runtime.native_files import (
    HOST,
    LIBRARY,
    PROGRAM,
    SOURCES,
    TARGETS,
    native_folder,
)

_TOOLCHAINS = {"aarch64-linux": "aarch64-linux.cmake"}
_ANDROID_API = 24
_LONGEST_REASON = 200
# All in one folder, which is the prefix of the CMake package too.
_LAYOUT = {f"CMAKE_INSTALL_{name}DIR": "." for name in ("BIN", "INCLUDE", "LIB")} | {
    "TFCOMPRESS_CMAKE_DIR": "cmake"
}


def build_native(
    target: str | None = None,
    folder: str | Path | None = None,
    log: Callable[[str], object] = lambda line: None,
) -> Path:
    """Builds `libtfcompress` and the program `tfcompress-benchmark` for a type of device.

    The library comes as one to load and as an archive to link, which holds all but LiteRT, with the
    headers beside them; with the folder in `CMAKE_PREFIX_PATH`, CMake finds them as the package
    tfcompress, and pkg-config with its `pkgconfig` in `PKG_CONFIG_PATH`. Needs a C++17 compiler and
    CMake (a package of that name is on the Python package index too); nothing else of the library
    needs either. `Translator` uses the result for this machine.

    Args:
        target: One of "x86_64-linux", "aarch64-linux" and "aarch64-android", that of this machine
            by default. "aarch64-linux" elsewhere needs the cross compiler aarch64-linux-gnu-g++;
            "aarch64-android" needs an Android NDK in the environment variable `ANDROID_NDK_HOME`.
        folder: Where the results go; by default a folder of the user's cache that belongs to this
            version of the sources, where `Translator` finds them.
        log: Called with a line about each step.

    Returns:
        The folder with the results.

    Raises:
        InputError: If the target is unknown, a tool is missing, or the sources do not compile.

    Example:

    >>> tfc.export.build_native()
    PosixPath('...-linux')
    """
    target = HOST if target is None else target
    if target not in TARGETS:
        raise InputError(f"`target` must be one of {', '.join(TARGETS)}. Received: {target!r}.")
    cmake = shutil.which("cmake")
    if cmake is None:
        raise InputError(
            "Building needs CMake. Received: none. Install it, for instance with "
            "`pip install cmake`."
        )
    folder = native_folder(target) if folder is None else Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"A folder cannot be created. Received: {folder} ({error.strerror}). Give another."
        ) from None
    work = folder / "build"
    log(f"configuring for {target}")
    settings = _settings(target) | _LAYOUT
    options = [f"-D{name}={value}" for name, value in settings.items()]
    _run([cmake, "-S", str(SOURCES), "-B", str(work), *options], work / "configure.log")
    log("compiling")
    jobs = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    _run([cmake, "--build", str(work), "--parallel", jobs], work / "build.log")
    installed = work / "installed"
    shutil.rmtree(installed, ignore_errors=True)
    _run([cmake, "--install", str(work), "--prefix", str(installed)], work / "install.log")
    for path in installed.rglob("*"):
        if path.is_file():
            # Renamed into place, as a process may have the former one open.
            place = folder / path.relative_to(installed)
            place.parent.mkdir(exist_ok=True)
            path.replace(place)
    log(f"{folder}: {LIBRARY} and {PROGRAM}")
    return folder


def _settings(target):
    """The values of CMake's variables."""
    if target == "aarch64-android":
        ndk = os.environ.get("ANDROID_NDK_HOME", "")
        toolchain = Path(ndk) / "build" / "cmake" / "android.toolchain.cmake"
        if not ndk or not toolchain.is_file():
            raise InputError(
                f"The target {target} needs an Android NDK. Received: ANDROID_NDK_HOME="
                f"{ndk or None}. Install one and set the variable to its folder."
            )
        return {
            "CMAKE_TOOLCHAIN_FILE": toolchain,
            "ANDROID_ABI": "arm64-v8a",
            "ANDROID_PLATFORM": f"android-{_ANDROID_API}",
        }
    if target == HOST:
        if not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++"))):
            raise InputError(
                "Building needs a C++17 compiler. Received: none. Install g++ or clang++."
            )
        return {}
    toolchain = _TOOLCHAINS.get(target)
    if toolchain is None:
        raise InputError(
            f"The target {target} is built on such a machine only. Received: {HOST}. Build it "
            "there."
        )
    compiler = f"{target}-gnu-g++"
    if shutil.which(compiler) is None:
        raise InputError(
            f"The target {target} needs the cross compiler {compiler}. Received: none. Install it, "
            "for instance Debian's package g++-aarch64-linux-gnu."
        )
    return {"CMAKE_TOOLCHAIN_FILE": SOURCES / "cmake" / toolchain}


def _run(command, log_file):
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("w", encoding="utf-8") as output:
        try:
            done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
        except OSError as error:
            raise InputError(
                f"A program cannot run. Received: {command[0]} ({error.strerror}). Install it."
            ) from None
    if done.returncode:
        errors = [
            line for line in log_file.read_text(errors="replace").splitlines() if "rror" in line
        ]
        reason = errors[0].strip()[:_LONGEST_REASON] if errors else f"exit code {done.returncode}"
        raise InputError(
            f"The native runtime does not build. Received: {reason.rstrip('.')}. See {log_file}."
        )
