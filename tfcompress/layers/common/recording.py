"""Layers whose inner values can be looked at from outside."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import ClassVar

import tensorflow as tf


class Recording:
    """Mixin of layers that can keep inner values of every call for a while.

    Attributes:
        recorded_values: What the values are called, the usual one first.
    """

    recorded_values: ClassVar[tuple[str, ...]]
    _records: Mapping[str, list] = {}

    @contextlib.contextmanager
    def recording(self, value: str | None = None) -> Iterator[list[tf.Tensor]]:
        """Keeps an inner value of every call meanwhile.

        Args:
            value: Which one, of `recorded_values`; the first by default.

        Yields:
            The list that each call adds to.

        Raises:
            ValueError: If the layer has no such value.
        """
        value = self.recorded_values[0] if value is None else value
        if value not in self.recorded_values:
            raise ValueError(
                f"`value` must be one of {', '.join(self.recorded_values)}. Received: {value!r}."
            )
        before, record = self._records, []
        # Not an attribute that Keras tracks.
        object.__setattr__(self, "_records", {**before, value: record})
        try:
            yield record
        finally:
            object.__setattr__(self, "_records", before)

    def _record(self, tensor: tf.Tensor, value: str | None = None) -> tf.Tensor:
        record = self._records.get(self.recorded_values[0] if value is None else value)
        if record is not None:
            record.append(tensor)
        return tensor
