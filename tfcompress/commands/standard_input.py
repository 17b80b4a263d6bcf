"""Standard input, where there is one."""

import sys
from typing import BinaryIO

from tfcompress.errors import InputError


def standard_input() -> BinaryIO:
    """Returns the bytes of standard input.

    Raises:
        InputError: It is closed.
    """
    if sys.stdin is None:
        raise InputError(
            "Standard input is needed. Received: one that is closed. Send text to it, one sentence "
            "a line."
        )
    return sys.stdin.buffer
