"""Writes reports to files."""

import os
from collections.abc import Sequence
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.files import replace_file
from tfcompress.reporting.html import html_report
from tfcompress.reporting.markdown import markdown_report
from tfcompress.reporting.results import RunResults

_WRITERS = {
    ".md": markdown_report,
    ".markdown": markdown_report,
    ".html": html_report,
    ".htm": html_report,
}


def write_report(runs: Sequence[RunResults], path: str | os.PathLike) -> Path:
    """Writes the report of runs to a file, completely or not at all.

    Args:
        runs: The runs.
        path: The file; its suffix `.md` or `.html` chooses the format.

    Returns:
        The file.

    Raises:
        InputError: If the suffix is unknown, there are no runs, or the file can't be written.

    Example:

    >>> write_report([tfc.reporting.load_results("runs/quickstart")], "report.html")
    PosixPath('report.html')
    """
    path = Path(path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise InputError(f"A report's file must end in .md or .html. Received: {path}.")
    replace_file(path, write(runs).encode())
    return path
