"""Where metrics come from: date, command, machine and versions, in words."""

import datetime
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcompress.reporting import formats
from tfcompress.reporting.machine import describe_machine, versions
from tfcompress.reporting.results import RunResults


def measurement() -> dict[str, Any]:
    """Returns what to keep beside metrics that are measured now.

    Returns:
        `created`, `command`, `machine` and `versions`, as in `RunResults`.

    Example:

    >>> measurement()["machine"]["cores"] > 0
    True
    """
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": versions(),
    }


def facts(runs: Sequence[RunResults]) -> list[list[tuple[str, str]]]:
    """Returns what makes metrics reproducible, as pairs of a name and a text.

    Args:
        runs: The runs.

    Returns:
        A list for each run and, if there are several, one more at the end of what they share.

    Example:

    >>> facts([tfc.reporting.load_results("runs/quickstart")])[0][1]
    ('Date', '2026-03-01T12:00:00+00:00')
    """
    lists = [_facts(run) for run in runs]
    shared = [pair for pair in lists[0] if all(pair in pairs for pairs in lists[1:])]
    if len(lists) == 1 or not shared:
        return lists
    own = [[pair for pair in pairs if pair not in shared] for pairs in lists]
    return [*(pairs for pairs in own if pairs), shared]


def _facts(run: RunResults) -> list[tuple[str, str]]:
    packages = (f"{package} {version}" for package, version in run.versions.items())
    pairs = [
        ("Run", run.name),
        ("Date", run.created),
        ("Corpus", run.corpus),
        ("Command", run.command),
        ("Machine", machine_text(run.machine)),
        ("Load", run.load),
        ("Versions", ", ".join(packages)),
    ]
    return [(name, formats.clean(text)) for name, text in pairs if text.strip()]


def machine_text(machine: dict[str, str | int | float]) -> str:
    """Describes a machine in one line.

    Args:
        machine: What `describe_machine` returned.

    Returns:
        The line.

    Example:

    >>> machine_text({"cpu": "Cortex-A76", "cores": 4, "memory_bytes": 8_000_000_000})
    'Cortex-A76, 4 cores, 8.00 GB memory'
    """
    return ", ".join(_machine_part(*item) for item in machine.items()).replace(", (", " (")


def _machine_part(name: str, value: str | int | float) -> str:
    if name in ("cpu", "os"):
        return f"{value}"
    if name == "instructions":
        return f"({value})"
    if name == "cores" and not isinstance(value, str):
        return formats.counted(value, "core")
    if name == "memory_bytes" and not isinstance(value, str):
        return f"{formats.byte_size(value)} memory"
    return f"{name.capitalize()} {value}"
