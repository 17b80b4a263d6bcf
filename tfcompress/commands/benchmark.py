"""`tfcompress benchmark`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import (
    add_command,
    add_json,
    refuse,
    with_defaults,
)
from tfcompress.commands.printing import print_json, print_metrics, print_to_stderr
from tfcompress.commands.standard_input import standard_input
from tfcompress.errors import InputError


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "benchmark", "time a bundle", _run)
    parser.add_argument("bundle", help="folder of a bundle")
    parser.add_argument("--input", help="sentences, one a line; standard input by default")
    parser.add_argument(
        "--device",
        default="local",
        help="where to run: local, emulator, ssh:HOST or adb[:SERIAL] (%(default)s)",
    )
    parser.add_argument("--library", help="LiteRT's library for a device (that of its wheel)")
    parser.add_argument("--beam-size", type=int, help="of a translation or language model (1)")
    parser.add_argument("--threads", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="repetitions (%(default)s)")
    add_json(parser)


def _run(options: Namespace) -> None:
    from tfcompress.runtime import TextEncoderBundle
    from tfcompress.runtime.manifest import bundle_model_type
    from tfcompress.text import read_lines

    if options.device == "local" and options.library is not None:
        raise InputError("--library is for a --device; here LiteRT is that of its wheel")
    if options.input is None:
        standard_input()
    if bundle_model_type(options.bundle) == TextEncoderBundle.model_type:
        refuse(options, "a text encoder", "beam_size")
    sentences = read_lines(options.input or "/dev/stdin")
    settings = with_defaults(options, beam_size=1)
    settings |= {"runs": options.runs, "num_threads": options.threads}
    if options.device == "local":
        from tfcompress.pipeline.benchmarking import benchmark_in_turns

        (metrics,) = benchmark_in_turns([options.bundle], sentences, **settings)
    else:
        from tfcompress.export.devices.benchmarking import benchmark_on

        settings |= {"library": options.library, "log": print_to_stderr}
        metrics = benchmark_on(options.device, options.bundle, sentences, **settings)
    return print_json(metrics) if options.json else print_metrics(metrics)
