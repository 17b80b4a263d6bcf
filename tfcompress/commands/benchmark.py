"""`tfcompress benchmark`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import (
    add_command,
    add_json,
    add_target,
    refuse,
    with_defaults,
)
from tfcompress.commands.printing import print_json, print_metrics, print_to_stderr
from tfcompress.commands.standard_input import standard_input
from tfcompress.errors import InputError


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(commands, "benchmark", "time a bundle, or those of a run", _run)
    add_target(parser)
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
    from tfcompress.pipeline.targets import check_target, open_bundles
    from tfcompress.runtime import TextEncoderBundle
    from tfcompress.runtime.manifest import bundle_model_type
    from tfcompress.text import read_lines

    if options.device == "local" and options.library is not None:
        raise InputError(
            f"--library is for another --device only. Received: {options.library}. Leave it out: "
            "here LiteRT is that of its wheel."
        )
    if options.input is None:
        standard_input()
    check_target(options.target)
    texts = read_lines(options.input or "/dev/stdin")
    settings = with_defaults(options, beam_size=1)
    settings |= {"runs": options.runs, "num_threads": options.threads}
    with open_bundles(options.target, quantization=options.quantization, texts=texts) as bundles:
        paths = [*bundles.values()]
        if bundle_model_type(paths[0]) == TextEncoderBundle.model_type:
            refuse(options, "a text encoder", "beam_size")
        results = _times(options, paths, texts, settings)
    metrics = {name: {**result, "bundle": name} for name, result in zip(bundles, results)}
    if options.json:
        return print_json(
            metrics if len(metrics) > 1 else {**results[0], "bundle": str(options.target)}
        )
    for result in metrics.values():
        print_metrics(result)


def _times(options, paths, texts, settings):
    if options.device == "local":
        from tfcompress.pipeline.benchmarking import benchmark_in_turns

        return benchmark_in_turns(paths, texts, **settings)
    from tfcompress.export.devices.benchmarking import benchmark_on

    settings |= {"library": options.library, "log": print_to_stderr}
    return [benchmark_on(options.device, path, texts, **settings) for path in paths]
