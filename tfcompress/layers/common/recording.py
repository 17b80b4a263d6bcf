"""Layers whose inner values can be looked at from outside."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


class Recording:
    """Mixin of layers that can keep an inner value of every call for a while."""

    _recorded: list | None = None

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[tf.Tensor]]:
        """Keeps the inner value of every call meanwhile.

        Yields:
            The list that each call adds to.
        """
        self._recorded = []
        try:
            yield self._recorded
        finally:
            self._recorded = None

    def _record(self, value: tf.Tensor) -> tf.Tensor:
        if self._recorded is not None:
            self._recorded.append(value)
        return value
