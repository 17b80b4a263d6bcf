"""`tfcompress export`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.printing import print_json
from tfcompress.export.options import add_arguments, read_options


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "export", "export a trained model as a LiteRT bundle", _run)
    parser.add_argument("model", help="folder of a run or of a saved model, or a preset's name")
    parser.add_argument("bundle", help="folder to write")
    add_arguments(parser)
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline import export_model

    manifest = export_model(options.model, options.bundle, read_options(vars(options)))
    if options.json:
        return print_json(manifest)
    size = sum(file["bytes"] for file in manifest["files"].values())
    return print(f"{options.bundle}: {size:,} bytes, {manifest['quantization']}")
