"""How far a training is, for whoever waits for it."""

import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from tensorflow import keras
from tqdm import tqdm


class TrainingProgress(keras.callbacks.Callback):
    """Shows updates, the time that is left for all of them, the loss and the scores.

    On a terminal that is a bar; elsewhere a line an evaluation, as nobody reads half a line.

    Args:
        done: Updates made before.
        updates: Updates in all.
        bar: Whether to show a bar rather than lines.
        log: Called with each line.

    Example:

    >>> TrainingProgress(0, 100).line(50, {"loss": 2.5}, seconds=60)
    'update 50 of 100: loss 2.5, 0:01:00 left'
    """

    def __init__(
        self,
        done: int,
        updates: int,
        *,
        bar: bool = False,
        log: Callable[[str], object] = print,
    ):
        super().__init__()
        self._done, self._updates, self._log = done, updates, log
        self._started = time.monotonic()
        self._bar = tqdm(total=updates, initial=done, unit="update", leave=False) if bar else None

    def on_train_batch_end(self, batch, logs=None):
        if self._bar is not None:
            self._bar.update()

    def show(self, metrics: Mapping[str, float]) -> None:
        """Shows the metrics of an evaluation, `update` among them."""
        if self._bar is not None:
            return self._bar.set_postfix_str(_text(metrics))
        seconds = time.monotonic() - self._started
        return self._log(self.line(int(metrics["update"]), metrics, seconds=seconds))

    def line(self, update: int, metrics: Mapping[str, float], *, seconds: float) -> str:
        """Returns the line of an evaluation.

        Args:
            update: Updates so far.
            metrics: The evaluation's.
            seconds: How long the updates since the beginning took.
        """
        left = seconds / max(1, update - self._done) * (self._updates - update)
        words = f"{_text(metrics)}, {timedelta(seconds=round(left))} left"
        return f"update {update:,} of {self._updates:,}: {words}"

    def on_train_end(self, logs=None):
        if self._bar is not None:
            self._bar.close()


def has_terminal() -> bool:
    """Returns whether somebody sees what a progress bar would show."""
    return sys.stderr is not None and sys.stderr.isatty()


def _text(metrics):
    hidden = ("update", "seconds")
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items() if name not in hidden)
