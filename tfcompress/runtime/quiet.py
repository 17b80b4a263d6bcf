"""Keeps the chatter of LiteRT and TensorFlow off the terminal.

The wheels log the loading of every model, or of TensorFlow itself, to standard error and offer no
way to turn that off.
"""

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_CHATTER = re.compile(
    rb"(VERBOSE|INFO|WARNING): |\xe2\x94\x94 |[IW]\d{4} |To enable the following instructions"
)
_lock = threading.RLock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drops lines below error level from standard error while the block runs.

    All other lines appear when the block ends. Works on the process's file descriptor, because
    LiteRT writes from C++.

    Example:

    >>> with quiet_stderr():
    ...     bundle = tfc.runtime.open_bundle("en-de")
    """
    with _lock, contextlib.ExitStack() as stack:
        try:
            log = stack.enter_context(tempfile.TemporaryFile())
            _flush()
            stderr = os.dup(2)
        except OSError:  # no standard error, or nowhere to hold it back
            yield
            return
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            log.seek(0)
            kept = b"".join(line for line in log if not _CHATTER.match(line))
            if kept:
                os.write(2, kept)


def _flush():
    if sys.stderr is not None:
        sys.stderr.flush()
