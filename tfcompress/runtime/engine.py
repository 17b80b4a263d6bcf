"""What runs a bundle."""

import abc
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from tfcompress.runtime.bundle import Bundle

B = TypeVar("B", bound=Bundle)


class Engine(abc.ABC, Generic[B]):
    """Runs a bundle on ids. Not safe for use by several threads at once.

    Args:
        bundle: What `open_bundle` returned.
        library: The native runtime, or None for Python.
        num_threads: Threads that LiteRT may use.

    Attributes:
        is_native: Whether the native runtime computes.

    Raises:
        InputError: The bundle needs custom operations that are unavailable, or does not load.
    """

    is_native: ClassVar[bool] = False

    def __init__(self, bundle: B, *, library: Path | None = None, num_threads: int = 1):
        self._bundle = bundle
        self._open(library, num_threads)

    @abc.abstractmethod
    def _open(self, library: Path | None, num_threads: int) -> None:
        """Loads the model."""

    @abc.abstractmethod
    def close(self) -> None:
        """Frees the model; the engine cannot be used any more."""
