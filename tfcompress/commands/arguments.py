"""What the commands' arguments have in common."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from tfcompress.engine import Engine
from tfcompress.errors import InputError

EXIT_BAD_INPUT = 2


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        """Ends the process with the message."""
        self.exit(EXIT_BAD_INPUT, f"error: {message}; see `{self.prog} --help`\n")


def add_commands(parser: argparse.ArgumentParser, metavar: str) -> Any:
    """Returns what `add_command` adds to; one of the commands is then required."""
    return parser.add_subparsers(required=True, metavar=metavar, parser_class=Parser)


def add_command(
    commands: Any,
    name: str,
    description: str,
    run: Callable[[argparse.Namespace], None] | None = None,
) -> argparse.ArgumentParser:
    """Adds a command.

    Args:
        commands: What `add_commands` returned.
        name: The command's name.
        description: What it does.
        run: Called with the parsed arguments; None for a command with commands of its own.

    Returns:
        The parser, to add arguments to.
    """
    parser = commands.add_parser(name, help=description, description=description)
    parser.set_defaults(run_command=run)
    return parser


def add_json(parser: argparse.ArgumentParser, content: str = "print the metrics as JSON") -> None:
    """Adds `--json`."""
    parser.add_argument("--json", action="store_true", help=content)


def add_engine(parser: argparse.ArgumentParser, work: str) -> None:
    """Adds where the work is done, None where the command line does not say it.

    Args:
        parser: The command's parser.
        work: What is done, in words.
    """
    parser.add_argument("--workers", type=int, help=f"processes that {work} (1)")
    parser.add_argument(
        "--cluster", help="address of a Dask scheduler whose workers do it instead, tcp://HOST:PORT"
    )


def engine(options: argparse.Namespace) -> Engine:
    """Returns where the work is done.

    Args:
        options: The options of `add_engine`.

    Raises:
        InputError: If there are not so many processors.
    """
    return Engine(**with_defaults(options, workers=1, cluster=None))


def add_target(parser: argparse.ArgumentParser) -> None:
    """Adds what a command works on, and which bundle of a run."""
    parser.add_argument(
        "target", help="folder of a run, a bundle or a saved model, or a preset's name"
    )
    parser.add_argument(
        "--quantization",
        help="which of a run's bundles (all), or how a model is exported (float32)",
    )


def add_search(parser: argparse.ArgumentParser, *, beam_size: int) -> None:
    """Adds the options of a search, None where the command line does not name them.

    Args:
        parser: The command's parser.
        beam_size: The default that the help names.
    """
    parser.add_argument("--beam-size", type=int, help=f"1 is greedy search ({beam_size})")
    parser.add_argument(
        "--length-penalty",
        type=float,
        help="exponent of the length that beam scores are divided by (1.0)",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads to run on (%(default)s)")


def refuse(options: argparse.Namespace, model: str, *names: str) -> None:
    """Raises InputError for an option that a type of model does not take.

    Args:
        options: The options, None where the command line does not name them.
        model: The type of model, in words.
        names: Those that it does not take.
    """
    for name in names:
        if getattr(options, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(
                f"{model.capitalize()} takes no {flag}. Received: {getattr(options, name)}. Leave "
                "it out."
            )


def with_defaults(options: argparse.Namespace, **defaults: Any) -> dict[str, Any]:
    """Returns the options by name, each its default where the command line does not name it."""
    values = {name: getattr(options, name) for name in defaults}
    return {name: defaults[name] if value is None else value for name, value in values.items()}
