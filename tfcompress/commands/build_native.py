"""`tfcompress build-native`."""

from argparse import Namespace
from typing import Any

from tfcompress.commands.arguments import add_command
from tfcompress.commands.printing import print_to_stderr


def add(commands: Any) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "build-native",
        "build the native runtime and the program tfcompress-benchmark with CMake",
        _run,
    )
    parser.add_argument(
        "--target",
        help="x86_64-linux, aarch64-linux or aarch64-android (this machine)",
    )
    parser.add_argument("--output", help="folder of the results (one of the user's cache)")


def _run(options: Namespace) -> None:
    from tfcompress.export.devices.building import build_native

    build_native(options.target, options.output, log=print_to_stderr)
