"""`tfcompress train`."""

import dataclasses
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.commands.arguments import add_command, add_engine, add_json, with_defaults
from tfcompress.commands.printing import print_json, print_to_stderr
from tfcompress.engine import Engine
from tfcompress.errors import InputError


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "train", "train, export, evaluate and benchmark what a recipe describes", _run
    )
    parser.add_argument("recipe", help="YAML file")
    parser.add_argument("--run", required=True, help="folder of the run; an existing one goes on")
    parser.add_argument("--corpus", help="folder of the corpus, or TSV file of translations")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    add_engine(parser, "translate with a teacher, instead of the recipe's `workers`")
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline import load_recipe, run_recipe
    from tfcompress.reporting import terminal_table

    recipe = load_recipe(options.recipe)
    changes = with_defaults(options, workers=recipe.workers, cluster=recipe.cluster)
    recipe = dataclasses.replace(recipe, **changes)
    Engine(**changes)  # Refused now rather than after hours.
    try:
        results = run_recipe(
            recipe,
            options.run,
            corpus=options.corpus,
            verbose=0 if options.quiet or options.json else 1,
            log=print_to_stderr,
        )
    except InputError as error:
        if recipe.training.strategy == "multi_worker":
            _restart_after(error)
        raise
    if results is None:
        return None
    if options.json:
        return print_json(schema.to_mapping(results))
    print(terminal_table([results]))
    return print(f"report: {Path(options.run) / 'report.html'}")


def _restart_after(error: InputError) -> None:
    """Begins this command again in its process, as TensorFlow joins other workers but once."""
    from tfcompress.training import WorkerLostError

    if isinstance(error, WorkerLostError):
        print_to_stderr(f"{error} Waiting for it.")
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
