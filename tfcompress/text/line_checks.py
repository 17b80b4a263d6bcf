"""Refusing files some of whose lines cannot be used."""

from pathlib import Path

from tfcompress.errors import InputError

_SHOWN = 10


def check_lines(path: Path, numbers: list[int], fault: str) -> None:
    """Refuses a file some of whose lines are at fault.

    Args:
        path: The file.
        numbers: The numbers of the lines at fault.
        fault: What is wrong with them.

    Raises:
        InputError: If there are any; names the first, and how to get rid of all.
    """
    if numbers:
        shown = ", ".join(map(str, numbers[:_SHOWN])) + (", ..." if len(numbers) > _SHOWN else "")
        raise InputError(
            f"Some lines cannot be used. Received: {path}, of whose lines {len(numbers):,} "
            f"{'is' if len(numbers) == 1 else 'are'} {fault} (lines {shown}). Do so, or let "
            "`tfcompress corpus clean` do it."
        )
