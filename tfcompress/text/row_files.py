"""Files of rows of text, read as streams."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

Test = Callable[[str], bool]
"""Whether a row counts, by its first text."""


class RowFiles(Protocol):
    """Files of rows, such as sentence pairs.

    Attributes:
        columns: How many texts a row has.
        unit: What rows are called, such as "pairs".
    """

    columns: int
    unit: str

    @property
    def paths(self) -> Sequence[Path]:
        """All the files."""
        ...

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Reads the rows in their order.

        Raises:
            InputError: When the reading comes to what cannot be used.
        """
        ...
