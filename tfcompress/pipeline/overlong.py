"""Test examples beyond a bundle's limit."""

import warnings
from collections.abc import Sequence

from tfcompress.errors import InputWarning

_SHOWN = 10


def warn_overlong(numbers: Sequence[int], total: int, unit: str, consequence: str) -> None:
    """Warns of examples beyond the limit, if there are any.

    Args:
        numbers: Their numbers, from 1.
        total: The number of all examples.
        unit: What they are called.
        consequence: What happens to them.
    """
    if numbers:
        shown = ", ".join(map(str, numbers[:_SHOWN])) + (", ..." if len(numbers) > _SHOWN else "")
        warnings.warn(
            f"{len(numbers):,} of {total:,} {unit} are {consequence} (examples {shown})",
            InputWarning,
            stacklevel=3,
        )
