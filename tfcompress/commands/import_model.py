"""`tfcompress import`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "import", "read a translation model of another library", _run)
    parser.add_argument(
        "source",
        help="folder of the model, as OPUS-MT's, NLLB's or Firefox', or its file (.npz, .bin) with "
        "the vocabularies beside it",
    )
    parser.add_argument("run", help="folder to write, which recipes and commands take as a run")
    parser.add_argument(
        "--max-length", type=int, help="longest source and target in tokens (the model's)"
    )
    for side in ("source", "target"):
        parser.add_argument(
            f"--{side}-language", help=f"{side} language of an M2M100 or NLLB model, as it calls it"
        )
    parser.add_argument(
        "--corpus",
        nargs="+",
        default=(),
        metavar="FILE",
        help="texts in both languages, whose tokens an M2M100 or NLLB model keeps (all)",
    )


def _run(options: Namespace) -> None:
    from tfcompress.pipeline.importing import import_model

    import_model(
        options.source,
        options.run,
        max_length=options.max_length,
        source_language=options.source_language,
        target_language=options.target_language,
        corpus=options.corpus,
    )
    print(options.run)
