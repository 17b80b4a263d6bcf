"""`tfcompress export`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.printing import print_json


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "export", "export a trained model as a LiteRT bundle", _run)
    parser.add_argument("model", help="folder of a run or of a saved model, or a preset's name")
    parser.add_argument("bundle", help="folder to write")
    parser.add_argument(
        "--quantization",
        default="dynamic_int8",
        help="float32, float16, dynamic_int8, int4, int4_per_channel, mixed, static_int8 or "
        "static_int8x16 (%(default)s)",
    )
    parser.add_argument(
        "--plan", help="with mixed: YAML or JSON file, regular expressions of weights to kinds"
    )
    parser.add_argument(
        "--representative", help="with static_int8: text file with typical sentences, one a line"
    )
    parser.add_argument(
        "--custom-ops",
        action="store_true",
        help="use custom operations, which need the native runtime (see build-native)",
    )
    parser.add_argument(
        "--shortlist",
        nargs=2,
        metavar=("SOURCE", "TARGET"),
        help="with custom operations: text files of parallel sentences, from which is learnt what "
        "tokens the output layer chooses from",
    )
    parser.add_argument(
        "--tokenizer", help="of a text encoder that has none with it: folder of its tokenizer"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing bundle")
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline import export_model

    manifest = export_model(
        options.model,
        options.bundle,
        quantization=options.quantization,
        plan=options.plan,
        representative=options.representative,
        custom_ops=options.custom_ops,
        shortlist=options.shortlist,
        tokenizer=options.tokenizer,
        force=options.force,
    )
    if options.json:
        return print_json(manifest)
    size = sum(file["bytes"] for file in manifest["files"].values())
    return print(f"{options.bundle}: {size:,} bytes, {manifest['quantization']}")
