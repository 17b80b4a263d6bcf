"""`tfcompress report`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "report", "compare runs in one page", _run)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run")
    parser.add_argument("--output", default="report.html", help="a .html or .md file (%(default)s)")


def _run(options: Namespace) -> None:
    from tfcompress.reporting import load_results, terminal_table, write_report

    runs = [load_results(run) for run in options.runs]
    write_report(runs, options.output)
    print(terminal_table(runs))
    print(f"report: {options.output}")
