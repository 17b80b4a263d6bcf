"""`tfcompress describe`."""

import dataclasses
from argparse import Namespace
from pathlib import Path
from typing import Any

from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.printing import print_json


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "describe", "count parameters, multiply-adds and bytes of a model", _run
    )
    parser.add_argument(
        "name",
        nargs="?",
        help="preset, or folder of a run, a saved model or a bundle; without it, list presets",
    )
    parser.add_argument("--source-length", type=int, default=30, help="tokens (%(default)s)")
    parser.add_argument(
        "--target-length", type=int, help="tokens of a translation model's target (30)"
    )
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.analysis import describe
    from tfcompress.pipeline.targets import target_config

    if options.name is None:
        return _list_presets(options)
    description = describe(
        target_config(options.name),
        source_length=options.source_length,
        target_length=options.target_length,
    )
    description = dataclasses.replace(description, name=Path(options.name).resolve().name)
    return print_json(description.to_dict()) if options.json else print(description)


def _list_presets(options):
    from tfcompress.models.presets import list_presets

    presets = list_presets()
    if options.json:
        return print_json(presets)
    width = max(map(len, presets))
    return print("\n".join(f"{name:{width}}  {text}" for name, text in presets.items()))
