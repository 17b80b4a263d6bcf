"""The quickstart: a translator and its compressed form, trained, exported and compared."""

from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.recipe_files import load_recipe
from tfcompress.pipeline.run import run_recipe
from tfcompress.reporting import RunResults, terminal_table, write_report

NAMES = ("baseline", "compressed")


def quickstart(
    folder: str | Path, *, verbose: int = 1, log: Callable[[str], object] = print
) -> list[RunResults]:
    """Trains a translator on the shipped corpus, compresses it, and compares the two.

    Args:
        folder: Where the two runs and `report.html` go; an interrupted quickstart goes on there.
        verbose: 1 for progress bars, 0 for none.
        log: Called with each line of the result.

    Returns:
        The results of both runs.

    Raises:
        InputError: If the folder holds other runs, or cannot be written.

    Example:

    >>> baseline, compressed = tfc.pipeline.quickstart("quickstart", log=lambda line: None)
    >>> compressed.rows[0].parameters < baseline.rows[0].parameters
    True
    """
    folder = Path(folder)
    runs = []
    for name in NAMES:
        recipe = shipped_recipe(name, folder=folder)
        runs.append(run_recipe(recipe, folder / name, verbose=verbose, log=log))
    write_report(runs, folder / "report.html")
    log("")
    log(terminal_table(runs))
    log("")
    for example in runs[1].examples:
        log(f"  {example.source}")
        for system, translation in example.translations.items():
            log(f"    {translation}  ({system})")
    log("")
    log(f"report: {folder / 'report.html'}")
    return runs


def shipped_recipe(name: str, *, folder: str | Path | None = None) -> Recipe:
    """Returns one of the recipes that ship with the library.

    Args:
        name: Its name.
        folder: Where the runs are that it begins with.
    """
    with as_file(files("tfcompress.pipeline") / "recipes" / f"{name}.yaml") as path:
        return load_recipe(path, folder=folder)
