"""`tfcompress sensitivity`."""

import json
from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command, add_json
from tfcompress.commands.printing import print_json, print_to_stderr
from tfcompress.errors import InputError
from tfcompress.files import check_writable, replace_file


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "sensitivity",
        "measure what each layer loses to quantization, and find the smallest file",
        _run,
    )
    parser.add_argument("run", help="folder of a run")
    parser.add_argument("--source", required=True, help="file with sentences to measure on")
    parser.add_argument("--reference", required=True, help="file with their translations")
    parser.add_argument(
        "--max-loss", type=float, default=0.5, help="BLEU that the scheme may lose (%(default)s)"
    )
    parser.add_argument("--sentences", type=int, default=200, help="how many to use (%(default)s)")
    parser.add_argument("--beam-size", type=int, default=1, help="1 is greedy search (%(default)s)")
    parser.add_argument("--tokenize", default="13a", help="sacrebleu's tokenization (%(default)s)")
    parser.add_argument("--lowercase", action="store_true", help="ignore case")
    parser.add_argument(
        "--output", help="file to write the scheme to, for `export --quantization-scheme`"
    )
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.pipeline import sensitivity
    from tfcompress.text import read_lines

    if options.sentences < 1:
        raise InputError(f"--sentences must be at least 1. Received: {options.sentences}.")
    if options.output is not None:
        check_writable(options.output)
    lines = read_lines(options.source), read_lines(options.reference)
    if len(lines[0]) != len(lines[1]):
        raise InputError(
            "Line N of --reference must translate line N of --source. Received: "
            f"{options.source} of {len(lines[0])} lines and {options.reference} of {len(lines[1])}."
        )
    report = sensitivity(
        options.run,
        *(side[: options.sentences] for side in lines),
        max_loss=options.max_loss,
        beam_size=options.beam_size,
        tokenize=options.tokenize,
        lowercase=options.lowercase,
        log=print_to_stderr,
    )
    if options.output is not None:
        replace_file(
            options.output, (json.dumps(report.quantization_scheme, indent=2) + "\n").encode()
        )
    return print_json(report.to_dict()) if options.json else print(report)
