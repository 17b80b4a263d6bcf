"""`tfcompress run status`, `list`, `rm` and `export`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command, add_commands, add_json
from tfcompress.commands.printing import print_json
from tfcompress.errors import InputError

_STAGES = ("training", "bundles", "evaluation", "benchmark")


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "run", "look after the folders of runs")
    actions = add_commands(parser, "ACTION")
    status = add_command(actions, "status", "say how far a run is and verify its files", _status)
    status.add_argument("run", help="folder of the run")
    add_json(status, "print the status as JSON")
    listed = add_command(actions, "list", "list the runs in a folder", _list)
    listed.add_argument("folder", nargs="?", default="runs", help="the folder (%(default)s)")
    add_json(listed, "print each status as JSON")
    remove = add_command(actions, "rm", "remove a run or a stage of it", _remove)
    remove.add_argument("run", help="folder of the run")
    remove.add_argument("--stage", choices=_STAGES, help="what to remove (all)")
    export = add_command(actions, "export", "pack a run into an archive", _export)
    export.add_argument("run", help="folder of the run")
    export.add_argument("archive", help="file to write, such as run.tar.gz")
    export.add_argument(
        "--training", action="store_true", help="take the state of training along, to go on with it"
    )


def _status(options: Namespace) -> None:
    from tfcompress.pipeline.run_folders import run_status

    status = run_status(options.run)
    return print_json(status.to_dict()) if options.json else print(status)


def _list(options: Namespace) -> None:
    from tfcompress.pipeline.run_folders import find_runs, run_status

    runs = []
    for folder in find_runs(options.folder):
        try:
            status = run_status(folder)
        except InputError as error:
            runs.append({"folder": str(folder), "error": str(error)})
            line = str(error)
        else:
            runs.append(status.to_dict())
            line = status.line()
        if not options.json:
            print(f"{folder}: {line}")
    if options.json:
        print_json(runs)


def _remove(options: Namespace) -> None:
    from tfcompress.pipeline.run_folders import remove_run

    rest = remove_run(options.run, stage=options.stage)
    what = options.stage or "the run"
    others = f"; {', '.join(rest)} stay" if rest and options.stage is None else ""
    print(f"{options.run}: {what} removed{others}")


def _export(options: Namespace) -> None:
    from tfcompress.pipeline.run_folders import export_run

    export_run(options.run, options.archive, training=options.training)
    print(f"{options.archive}: written")
