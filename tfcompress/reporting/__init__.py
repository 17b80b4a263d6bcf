"""Results of runs, and reports on them for the terminal, as markdown and as HTML."""

from tfcompress.reporting.html import html_report
from tfcompress.reporting.machine import describe_machine, versions
from tfcompress.reporting.markdown import markdown_report
from tfcompress.reporting.report import write_report
from tfcompress.reporting.results import (
    Example,
    HistoryPoint,
    Row,
    RunResults,
    load_results,
    save_results,
)
from tfcompress.reporting.terminal import terminal_table

__all__ = [
    "Example",
    "HistoryPoint",
    "Row",
    "RunResults",
    "describe_machine",
    "html_report",
    "load_results",
    "markdown_report",
    "save_results",
    "terminal_table",
    "versions",
    "write_report",
]
