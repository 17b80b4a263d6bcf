"""Ctrl-C while the native runtime computes."""

from collections.abc import Generator

from tfcompress.runtime.c_interface import PROGRESS


class Interruption:
    """Ends a native call in which a signal's handler raises an exception, such as Ctrl-C's.

    Python runs handlers when the native runtime tells of its progress, in whatever function is
    entered first; what that raises would be lost. So it is a generator that is told, which stands
    in its `try` already.

    Attributes:
        callback: What the native runtime tells, as long as this object lives.
    """

    def __init__(self):
        self._raised: list[BaseException] = []
        steps = _steps(self._raised)
        next(steps)
        self.callback = PROGRESS(steps.send)

    def check(self) -> None:
        """Raises what ended the last call, if anything did."""
        if self._raised:
            raise self._raised.pop()


def _steps(raised: list[BaseException]) -> Generator[int, int | None, None]:
    while True:
        try:
            while True:
                yield len(raised)
        except GeneratorExit:
            return
        except BaseException as error:
            raised.append(error)
