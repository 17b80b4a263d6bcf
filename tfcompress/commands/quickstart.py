"""`tfcompress quickstart`."""

from argparse import Namespace
from typing import Any

from tfcompress import schema
from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.printing import print_json, print_to_stderr


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "quickstart",
        "train a baseline and a compressed translator on the corpus that ships with the library, "
        "export both, and compare them",
        _run,
    )
    parser.add_argument("--run", default="runs/quickstart", help="folder of the run (%(default)s)")
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline import quickstart

    log = print_to_stderr if options.json else print
    runs = quickstart(options.run, log=log, verbose=0 if options.json else 1)
    if options.json:
        print_json([schema.to_mapping(run) for run in runs])
