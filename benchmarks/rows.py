"""Runs recipes one after another and writes the table of those that are finished."""

from collections.abc import Iterable
from pathlib import Path

from tfcompress.pipeline import run_recipe
from tfcompress.pipeline.recipe import Recipe
from tfcompress.reporting import RunResults, terminal_table, write_report


def run_rows(
    recipes: Iterable[Recipe],
    runs: Path,
    output: Path,
    *,
    corpus: Path | None = None,
    only: list[str] | None = None,
) -> list[RunResults]:
    """Runs recipes; a finished one is not repeated, an interrupted one goes on.

    Args:
        recipes: In the order in which they can be run.
        runs: Folder of all runs.
        output: Table to write after each, .md or .html.
        corpus: Folder of the corpus, where the recipes name none.
        only: Names of those to run; None for all.
    """
    finished = []
    for recipe in recipes:
        if only and recipe.name not in only:
            continue
        finished.append(run_recipe(recipe, runs / recipe.name, corpus=corpus, verbose=0))
        write_report(finished, output)
        print(terminal_table(finished), flush=True)
    return finished
