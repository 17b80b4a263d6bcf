"""Measures a bundle on a device: this machine's emulator, a machine behind ssh, or a phone."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tfcompress.errors import InputError
from tfcompress.export.devices.building import build_native
from tfcompress.export.devices.litert_library import litert_library
from tfcompress.runtime.native_files import PROGRAM, TARGETS, native_folder
from tfcompress.runtime.opening import open_bundle
from tfcompress.search_options import MAX_THREADS, SearchOptions, check_count
from tfcompress.text import is_blank

DEVICES = ("emulator", "ssh:HOST", "adb", "adb:SERIAL")
_OLDEST_QEMU = 8
_QEMU = "Install Debian's qemu-user of 2025 or later, or set TFCOMPRESS_QEMU to one"
_SYSROOT = "/usr/aarch64-linux-gnu"


class Device(Protocol):
    """Where programs run, reached by commands of this machine."""

    target: str

    def run(self, command: str) -> str:
        """Runs a shell command there and returns its standard output."""
        ...

    def push(self, files: Sequence[Path], folder: str) -> None:
        """Copies files and folders into a folder there."""


def benchmark_on(
    device: str,
    bundle: str | Path,
    sentences: Sequence[str],
    *,
    num_threads: int = 1,
    beam_size: int = 1,
    warmup: int = 2,
    runs: int = 3,
    library: str | Path | None = None,
    log: Callable[[str], object] = lambda line: None,
) -> dict:
    """Measures a bundle with the program `tfcompress-benchmark` on a device.

    The program is built for the device if it has not been. It is copied there with the bundle,
    LiteRT's library and the sentences, run, and removed with all else.

    Args:
        device: One of `DEVICES`.
        bundle: The bundle's folder.
        sentences: What to translate.
        num_threads: Threads that LiteRT may use.
        beam_size: Hypotheses that the search keeps; 1 is greedy search.
        warmup: Passes over the sentences that are not measured.
        runs: Passes that are measured.
        library: LiteRT's library for the device; needed for Android only.
        log: Called with a line about each step.

    Returns:
        The metrics that the program measured.

    Raises:
        InputError: If the device is unknown, cannot be reached or goes away, the bundle is
            corrupt, or what is to run there is missing.

    Example:

    >>> benchmark_on("ssh:pi", "en-de", ["Two dogs play."])["latency_ms"]["p50"] > 0
    True
    """
    SearchOptions(beam_size)
    check_count("num_threads", num_threads, most=MAX_THREADS)
    reached = _reach(device)
    open_bundle(bundle)
    sentences = [sentence for sentence in sentences if not is_blank(sentence)]
    if not sentences:
        raise InputError(
            "There must be sentences to translate. Received: none. Give at least one that is not "
            "blank."
        )
    program = native_folder(reached.target) / PROGRAM
    if not program.is_file():
        build_native(reached.target, log=log)
    library = litert_library(reached.target) if library is None else Path(library)
    if not library.is_file():
        raise InputError(
            f"`library` must be LiteRT's library for {reached.target}. Received: {library}, which "
            "is no file."
        )
    folder = reached.run("mktemp -d").strip()
    if not re.fullmatch(r"/[\w./-]+", folder):
        raise InputError(
            f"The device gave no temporary folder. Received: {folder!r} from {device}. Check its "
            "`mktemp`."
        )
    try:
        log(f"copying to {device}")
        with tempfile.TemporaryDirectory() as local:
            text = Path(local) / "sentences"
            text.write_text("\n".join([*sentences, ""]), encoding="utf-8")
            reached.push([program, library, text, Path(bundle).resolve()], folder)
        log("measuring")
        arguments = {"threads": num_threads, "beam": beam_size, "warmup": warmup, "runs": runs}
        options = " ".join(f"--{name} {int(value)}" for name, value in arguments.items())
        output = reached.run(
            f"cd {folder} && chmod +x {PROGRAM} && ./{PROGRAM} "
            f"{shlex.quote('./' + Path(bundle).resolve().name)} --input sentences {options} "
            f"--library ./{shlex.quote(library.name)}"
        )
        try:
            metrics = json.loads(output)
        except ValueError:
            raise InputError(
                f"The device gave no metrics. Received: {output[:100]!r} from {device}. Run "
                f"{PROGRAM} there."
            ) from None
    finally:
        _clean_up(reached, folder, log)
    return metrics | {"bundle": str(bundle), "device": device}


def _reach(device: str) -> Device:
    transport, _, name = device.partition(":")
    if transport == "emulator" and not name:
        return Emulator()
    if transport == "ssh" and name and not name.startswith("-"):
        return Ssh(name)
    if transport == "adb" and not name.startswith("-"):
        return Adb(name)
    raise InputError(
        f"`device` must be local or one of {', '.join(DEVICES)}. Received: {device!r}."
    )


def _clean_up(device, folder, log):
    try:
        device.run(f"rm -rf {folder}")
    except InputError as error:
        log(f"{folder} stays on the device ({error})")


class Emulator:
    """A 64-bit ARM processor, emulated by qemu. Its times mean nothing; its results do.

    Raises:
        InputError: If qemu or the libraries of the cross compiler are missing.
    """

    target = "aarch64-linux"

    def __init__(self):
        qemu = os.environ.get("TFCOMPRESS_QEMU") or shutil.which("qemu-aarch64")
        if qemu is None:
            raise InputError(f"The emulator needs qemu-aarch64. Received: none. {_QEMU}.")
        version = re.search(r"version (\d+)", _output([qemu, "--version"], "emulator"))
        if version is None or int(version[1]) < _OLDEST_QEMU:
            raise InputError(
                f"The emulator needs qemu {_OLDEST_QEMU} or later. Received: "
                f"{version[1] if version else 'an unknown version'}. {_QEMU}."
            )
        if not Path(_SYSROOT).is_dir():
            raise InputError(
                f"The emulator needs {_SYSROOT}. Received: none. Install Debian's "
                "g++-aarch64-linux-gnu."
            )
        self._qemu = f"{shlex.quote(qemu)} -L {_SYSROOT}"

    def run(self, command: str) -> str:
        """Runs a shell command; what it begins with `./` is emulated."""
        emulated = re.sub(r"&& \./", lambda match: f"&& {self._qemu} ./", command)
        return _output(["sh", "-c", emulated], "emulator")

    def push(self, files: Sequence[Path], folder: str) -> None:
        """Copies files and folders into a folder."""
        _output(["cp", "-r", *map(str, files), folder], "emulator")


class Ssh:
    """A Linux machine that ssh reaches without a password.

    Args:
        host: What ssh calls it.

    Raises:
        InputError: If it cannot be reached, or its processor is of another type.
    """

    def __init__(self, host: str):
        self._host = host
        self._name = f"ssh:{host}"
        machine = "-".join(self.run("uname -m; uname -s").lower().split())
        machine = machine.replace("arm64", "aarch64")
        if machine not in TARGETS:
            raise InputError(
                f"A machine must be one of {', '.join(TARGETS)}. Received: {machine} from "
                f"{self._name}."
            )
        self.target = machine

    def run(self, command: str) -> str:
        """Runs a shell command there."""
        return _output(["ssh", "-o", "BatchMode=yes", self._host, command], self._name)

    def push(self, files: Sequence[Path], folder: str) -> None:
        """Copies files and folders there."""
        command = ["scp", "-q", "-r", "-o", "BatchMode=yes", *map(str, files)]
        _output([*command, f"{self._host}:{folder}/"], self._name)


class Adb:
    """An Android device that adb reaches.

    Args:
        serial: Its serial number, or "" for the only one.

    Raises:
        InputError: If it cannot be reached.
    """

    target = "aarch64-android"
    _FOLDER = "/data/local/tmp"

    def __init__(self, serial: str):
        self._name = f"adb:{serial}" if serial else "adb"
        self._adb = ["adb", *(["-s", serial] if serial else [])]
        self.run("true")

    def run(self, command: str) -> str:
        """Runs a shell command there."""
        # Only this folder may hold programs.
        command = command.replace("mktemp -d", f"mktemp -d -p {self._FOLDER}")
        return _output([*self._adb, "shell", command], self._name)

    def push(self, files: Sequence[Path], folder: str) -> None:
        """Copies files and folders there."""
        _output([*self._adb, "push", *map(str, files), f"{folder}/"], self._name)


def _output(command, name):
    """Runs a command of this machine and returns its standard output."""
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise InputError(
            f"A program cannot run. Received: {command[0]} for {name} ({error.strerror}). Install "
            "it."
        ) from None
    if done.returncode:
        lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise InputError(
            f"A command failed on the device. Received: {reason.rstrip('.')} from {name}. Check "
            "that it can be reached."
        )
    return done.stdout.decode(errors="replace")
