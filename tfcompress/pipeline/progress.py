"""How far long work is, for whoever waits for it."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tqdm import tqdm

_SECONDS = 30


class Progress:
    """Shows how much is done and how long the rest will take.

    On a terminal that is a bar; elsewhere a line every half minute, as nobody reads half a line.

    Args:
        total: How much there is to do; None where nobody knows.
        unit: What is counted, such as "sentences".
        log: Called with each line; None shows nothing.

    Example:

    >>> with Progress(100, "sentences", log=print) as progress:
    ...     progress.add(50)
    ...     progress.line(seconds=60)
    '50 of 100 sentences, 0:01:00 left'
    """

    def __init__(self, total: int | None, unit: str, *, log: Callable[[str], object] | None):
        self._total, self._unit, self._log = total, unit, log
        self._done = self._begun = 0
        self._started = self._shown = time.monotonic()
        self._bar: Any = None
        if log is not None and sys.stderr is not None and sys.stderr.isatty():
            self._bar = tqdm(total=total, unit=f" {unit}", leave=False)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *details: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, count: int) -> None:
        """Notes that so much more is done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif self._log is not None and time.monotonic() - self._shown > _SECONDS:
            self._shown = time.monotonic()
            self._log(self.line(seconds=self._shown - self._started))

    def set(self, done: int) -> None:
        """Notes how much is done in all; what was done at the first call took no time."""
        if not self._done:
            self._begun, self._started = done, time.monotonic()
        self.add(done - self._done)

    def line(self, *, seconds: float) -> str:
        """Returns how much is done, as a line.

        Args:
            seconds: How long it took.
        """
        if self._total is None:
            return f"{self._done:,} {self._unit}"
        left = seconds / max(1, self._done - self._begun) * (self._total - self._done)
        return (
            f"{self._done:,} of {self._total:,} {self._unit}, {timedelta(seconds=round(left))} left"
        )
