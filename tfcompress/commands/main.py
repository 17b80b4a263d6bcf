"""The frame of every command: exit codes, errors, warnings and interrupts."""

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence

from tfcompress import __version__
from tfcompress.commands import (
    benchmark,
    build_native,
    corpus,
    describe,
    evaluate,
    export,
    generate,
    import_model,
    quickstart,
    report,
    run,
    sensitivity,
    train,
    translate,
)
from tfcompress.commands.arguments import EXIT_BAD_INPUT, Parser, add_commands
from tfcompress.errors import InputError, InputWarning
from tfcompress.interrupts import Interrupts

EXIT_INTERRUPTED = 130
_COMMANDS = (
    quickstart,
    describe,
    train,
    import_model,
    export,
    sensitivity,
    translate,
    generate,
    evaluate,
    benchmark,
    report,
    run,
    build_native,
    corpus,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: The command line without the program's name; that of the process by default.

    Returns:
        The exit code: 0, 2 for what the user can correct (input, a full disk, too little memory),
        130 after Ctrl-C.
    """
    if sys.stdout is None:
        return _fail("standard output is closed; send it to a file, or to /dev/null")
    _write_utf8()
    interrupts = Interrupts(defer=False)
    try:
        options = command_line().parse_args(arguments)
        _prepare_environment()
        with interrupts, warnings.catch_warnings():
            warnings.showwarning = _show_warning
            options.run_command(options)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        # The reader of our output has seen enough.
        return 0
    except Exception as error:
        if interrupts.noted:
            # TensorFlow may turn an interrupt into an error of its own.
            return _interrupted()
        cause = _cause(error)
        if cause is None or os.environ.get("TFCOMPRESS_TRACEBACK"):
            raise
        return _fail(cause)
    return 0


def command_line() -> argparse.ArgumentParser:
    """Returns the parser of all commands; `run_command` is what it found to call."""
    parser = Parser(
        prog="tfcompress", description="Keras Transformers made small and fast enough for a phone."
    )
    parser.add_argument("--version", action="version", version=f"tfcompress {__version__}")
    commands = add_commands(parser, "COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser


def _write_utf8():
    """Writes what we read, whatever the locale; names of files that are no text are escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _show_warning(message, category, filename, lineno, file=None, line=None):
    if issubclass(category, InputWarning):
        text = f"warning: {message}"
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line).rstrip("\n")
    print(text, file=file or sys.stderr)


def _cause(error: Exception) -> str | None:
    """Returns what the user can correct, or None for a fault of ours."""
    if isinstance(error, InputError | OSError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); give smaller batches, or less input at once"
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or not isinstance(error, tensorflow.errors.OpError):
        return None
    errors = tensorflow.errors
    message = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, errors.ResourceExhaustedError) and "No space left" not in message:
        return f"out of memory ({message}); give a smaller `training.batch_tokens`"
    # What the file system refuses.
    refusals = (
        errors.ResourceExhaustedError,
        errors.PermissionDeniedError,
        errors.FailedPreconditionError,
        errors.NotFoundError,
        errors.OutOfRangeError,
        errors.DataLossError,
    )
    return f"{message}; check the disk" if isinstance(error, refusals) else None


def _fail(cause):
    print(f"error: {' '.join(cause.split())}", file=sys.stderr)
    return EXIT_BAD_INPUT


def _interrupted():
    print("interrupted; run the same command to go on", file=sys.stderr)
    return EXIT_INTERRUPTED


def _prepare_environment():
    """Chooses Keras 2, which trains faster on CPUs and which tfmot needs; quiets TensorFlow."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
