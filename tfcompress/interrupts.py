"""Ctrl-C between two steps of a work, not in the middle of one."""

import signal
import threading
from types import TracebackType


class Interrupts:
    """Notes interrupts and lets the work say where they may take effect.

    An interrupt inside TensorFlow can come out as an error of its own or get lost. In the `with`
    block the first interrupt waits for the next `check()`; a second one takes effect at once.
    Does nothing outside the main thread or where interrupts are ignored.

    Args:
        defer: Whether the first interrupt waits; if not, it is only noted.

    Attributes:
        noted: Whether there was an interrupt.

    Example:

    ```python
    with Interrupts() as interrupts:
        for batch in batches:
            model.train_on_batch(*batch)
            interrupts.check()
    ```
    """

    def __init__(self, defer: bool = True):
        self.noted = False
        self._waits = defer
        self._waiting = False
        self._former = None

    def __enter__(self) -> "Interrupts":
        former = signal.getsignal(signal.SIGINT)
        if callable(former) and threading.current_thread() is threading.main_thread():
            self._former = former
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._former is not None:
            signal.signal(signal.SIGINT, self._former)
        if error is None:
            self.check()

    def check(self) -> None:
        """Lets an interrupt that waits take effect.

        Raises:
            KeyboardInterrupt: If one waits and nothing around the block handles it otherwise.
        """
        if self._waiting and self._former is not None:
            self._waiting = False
            self._former(signal.SIGINT, None)

    def _note(self, number, frame):
        self._waiting = self._waits and not self.noted
        self.noted = True
        if not self._waiting and self._former is not None:
            self._former(number, frame)
