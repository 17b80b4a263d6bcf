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
        raise InputError(
            "Standard input is needed. Received: one that is closed. Send text to it, one sentence "
            "a line."
        )
    return sys.stdin.buffer


def input_lines() -> Iterator[str]:
    """Yields the lines of standard input, without their ends.

    Raises:
        InputError: It is closed, or a line is not UTF-8.
    """
    return decoded_lines(standard_input(), "standard input")


def decoded_lines(file: BinaryIO, place: str) -> Iterator[str]:
    """Yields the lines of a file as they come, without their ends.

    Args:
        file: The open file.
        place: What it is called.

    Raises:
        InputError: A line is not UTF-8.
    """
    for number, raw in enumerate(file, start=1):
        try:
            # A byte order mark is no text.
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InputError(
                f"Text must be UTF-8. Received: line {number} of {place}. Convert it."
            ) from None
        yield line.removesuffix("\n").removesuffix("\r")


def decoded_document(file: BinaryIO, place: str) -> str:
    """Returns the text of a file, but for the end of its last line.

    Args:
        file: The open file.
        place: What it is called.

    Raises:
        InputError: It is not UTF-8.
    """
    try:
        return file.read().decode("utf-8-sig").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"Text must be UTF-8. Received: byte {error.start} of {place}. Convert it."
        ) from None
