"""The program `tfcompress`: the command line as a process of its own."""

import os
import signal
import sys

_INTERRUPTED = b"interrupted; run the same command to go on\n"


def program() -> None:
    """Runs the command line of this process and ends it with the command's exit code."""
    # Until a command runs there is nothing to save; inside an import an interrupt may get lost.
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    if not ignored:
        signal.signal(signal.SIGINT, _end_at_once)
    _open_standard_streams()
    from tfcompress.commands import main

    try:
        if not ignored:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = main()
    except KeyboardInterrupt:
        _end_at_once()
    # LiteRT logs the end of its environment if the process ends in the ordinary way.
    os._exit(code)


def _end_at_once(*signal_and_frame):
    os.write(2, _INTERRUPTED)
    os._exit(130)


def _open_standard_streams():
    """Keeps files that a command opens from taking the place of a closed standard stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    program()
