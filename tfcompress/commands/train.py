"""`tfcompress train`."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.printing import print_json, print_to_stderr


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "train", "train, export, evaluate and benchmark what a recipe describes", _run
    )
    parser.add_argument("recipe", help="YAML file")
    parser.add_argument("--run", required=True, help="folder of the run; an existing one goes on")
    parser.add_argument("--corpus", help="folder of the corpus, or TSV file of translations")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline import load_recipe, run_recipe
    from tfcompress.reporting import terminal_table

    results = run_recipe(
        load_recipe(options.recipe),
        options.run,
        corpus=options.corpus,
        verbose=0 if options.quiet or options.json else 1,
        log=print_to_stderr,
    )
    if options.json:
        return print_json(schema.to_mapping(results))
    print(terminal_table([results]))
    return print(f"report: {Path(options.run) / 'report.html'}")
