"""`tfcompress import`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "import", "read a translation model of Marian's, MarianMT or Bergamot", _run
    )
    parser.add_argument(
        "source",
        help="folder of the model, as OPUS-MT's or Firefox', or its file (.npz, .bin) with the "
        "vocabularies beside it",
    )
    parser.add_argument("run", help="folder to write, which recipes and commands take as a run")
    parser.add_argument(
        "--max-length", type=int, help="longest source and target in tokens (the model's)"
    )


def _run(options: Namespace) -> None:
    from tfcompress.pipeline.importing import import_model

    import_model(options.source, options.run, max_length=options.max_length)
    print(options.run)
