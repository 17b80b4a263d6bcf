"""Standard input, where there is one."""

import sys
from collections.abc import Iterator
from typing import BinaryIO

from tfcompress.errors import InputError


def standard_input() -> BinaryIO:
    """Returns the bytes of standard input.

    Raises:
        InputError: It is closed.
    """
    if sys.stdin is None:
        raise InputError("standard input is closed; send text to it, one sentence a line")
    return sys.stdin.buffer


def input_lines() -> Iterator[str]:
    """Yields the lines of standard input, without their ends.

    Raises:
        InputError: It is closed, or a line is not UTF-8.
    """
    for number, raw in enumerate(standard_input(), start=1):
        try:
            # A byte order mark is no text.
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputError(
                f"standard input, line {number}: not valid UTF-8; convert the text to UTF-8"
            ) from None
        yield line.removesuffix("\n").removesuffix("\r")
