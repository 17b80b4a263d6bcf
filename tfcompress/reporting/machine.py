"""The machine and the versions that metrics were measured with."""

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

PACKAGES = (
    "tfcompress",
    "tensorflow",
    "keras",
    "tf-keras",
    "keras-nlp",
    "tensorflow-text",
    "tensorflow-model-optimization",
    "ai-edge-litert",
    "numpy",
    "sentencepiece",
    "sacrebleu",
    "ctranslate2",
)
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")


def describe_machine() -> dict[str, str | int | float]:
    """Describes this machine as far as it bears on speed.

    Returns:
        `cpu` (the processor's name), `instructions` (its vector instructions that int8 arithmetic
        uses), `cores` (those that this process may use), `memory_bytes` (what it may use),
        `os` and `python`; without the entries that the system doesn't tell.

    Example:

    >>> describe_machine()["cores"] > 0
    True
    """
    cpuinfo = _read("/proc/cpuinfo")
    facts = {
        "cpu": _cpu_name(cpuinfo),
        "instructions": _instructions(cpuinfo),
        "cores": _usable_cores(),
        "memory_bytes": _usable_memory(),
        "os": platform.platform(terse=True),
        "python": platform.python_version(),
    }
    return {name: value for name, value in facts.items() if value}


def versions() -> dict[str, str]:
    """Returns the versions of the installed packages that matter, without importing any.

    Example:

    >>> versions()["sacrebleu"]
    '2.6.0'
    """
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _cpu_name(cpuinfo: str) -> str:
    board = _read("/proc/device-tree/model").strip("\0\n ")
    name = re.search(r"^model name\s*:\s*(\S.*)$", cpuinfo, re.MULTILINE)
    if name:
        return name[1].strip()
    if platform.system() == "Darwin":
        board = _output(["sysctl", "-n", "machdep.cpu.brand_string"])
    return board or platform.processor() or platform.machine()


def _instructions(cpuinfo: str) -> str:
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    present = set(flags[1].split()) if flags else set()
    return " ".join(name for name in _INSTRUCTIONS if name in present)


def _usable_cores() -> int | float:
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    quota, _, period = _read("/sys/fs/cgroup/cpu.max").strip().partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = min(cores, round(int(quota) / int(period), 2))
    return cores


def _usable_memory() -> int | None:
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    return min(memory, int(limit)) if limit.isdigit() else memory


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
