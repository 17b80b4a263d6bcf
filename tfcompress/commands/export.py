"""`tfcompress export`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.printing import print_json
from tfcompress.errors import InputError
from tfcompress.export.options import ExportOptions, add_arguments, read_options, settings


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "export", "export a trained model as a LiteRT bundle, or for Marian", _run
    )
    parser.add_argument("model", help="folder of a run or of a saved model, or a preset's name")
    parser.add_argument("bundle", help="folder to write")
    parser.add_argument(
        "--format",
        choices=("litert", "marian"),
        default="litert",
        help="marian: files for Marian, Bergamot and Firefox, of the options only --shortlist and "
        "--representative-data, by which activations of 8 bits are measured (%(default)s)",
    )
    add_arguments(parser)
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline import export_model

    if options.format == "marian":
        return _export_marian(options)
    manifest = export_model(options.model, options.bundle, read_options(vars(options)))
    if options.json:
        return print_json(manifest)
    size = sum(file["bytes"] for file in manifest["files"].values())
    return print(f"{options.bundle}: {size:,} bytes, {manifest['quantization']}")


def _export_marian(options: Namespace) -> None:
    from tfcompress.pipeline import export_marian

    taken = ("shortlist", "representative_data")
    values = {name: getattr(options, name) for name in settings()}
    others = [
        f"--{name.replace('_', '-')}"
        for name, value in values.items()
        if name not in taken and value != getattr(ExportOptions, name)
    ]
    if others:
        raise InputError(
            f"Marian's files take --shortlist and --representative-data only. Received: "
            f"{', '.join(others)}. Leave the others out."
        )
    readers = {name: settings()[name].read for name in taken if values[name] is not None}
    texts = {name: read(values[name]) for name, read in readers.items() if read is not None}
    files = export_marian(options.model, options.bundle, **texts)
    if options.json:
        return print_json({"files": files})
    return print(f"{options.bundle}: {', '.join(f'{n} {s:,} bytes' for n, s in files.items())}")
