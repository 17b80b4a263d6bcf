"""What a benchmark measured, with what it was measured on."""

import datetime
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from tfcompress.files import replace_file
from tfcompress.reporting import describe_machine, versions


def write_results(path: Path, metrics: dict[str, Any]) -> None:
    """Writes metrics with the command, the time, the machine and the versions, as JSON.

    Args:
        path: The file.
        metrics: What was measured; numbers, text, lists, mappings and dataclasses.
    """
    results = {
        "command": shlex.join([Path(sys.argv[0]).name, *map(_without_place, sys.argv[1:])]),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": versions(),
        **metrics,
    }
    replace_file(path, (json.dumps(results, indent=2, default=vars) + "\n").encode())


def _without_place(argument: str) -> str:
    """Where files lie on this machine says nothing to others."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a file that an interrupted run wrote, none where there is no file."""
    return json.loads(path.read_text())["rows"] if path.exists() else []
