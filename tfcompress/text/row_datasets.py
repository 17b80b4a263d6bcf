"""Datasets of rows, such as texts, in memory or in a cache."""

import abc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcompress.text.batching import (
    Examples,
    Limit,
    endless_batches,
    evaluation_batches,
    limits,
    padded_rows,
)

if TYPE_CHECKING:
    import tensorflow as tf

RowBatch = tuple["Rows", np.ndarray]
"""Rows, and the indices of those that make a batch."""


class RowSource(abc.ABC):
    """What gives batches of rows without end."""

    @abc.abstractmethod
    def endless_batches(self, **options: Any) -> Callable[[], Iterator[RowBatch]]:
        """Returns a function that gives the batches of training: rows, and the indices of some."""

    @abc.abstractmethod
    def left_out(self, max_length: Limit) -> int:
        """Counts the rows with more ids than `max_length`."""

    @property
    @abc.abstractmethod
    def longest(self) -> int:
        """The number of ids of the longest row."""

    @abc.abstractmethod
    def _signature(self) -> Any:
        """Returns the types and shapes of a batch, as TensorFlow's `TensorSpec`."""

    def training_dataset(
        self, *, batch_tokens: int, seed: int, start_step: int = 0, accumulate: int = 1
    ) -> "tf.data.Dataset":
        """Makes an endless dataset of batches of rows of similar length, epoch after epoch.

        Args:
            batch_tokens: The most that rows times their padded length may come to.
            seed: Of the order.
            start_step: The number of optimizer steps already made.
            accumulate: The batches of one optimizer step.

        Returns:
            A dataset of what `batch` of the rows returns.

        Raises:
            InputError: A row alone exceeds `batch_tokens`.
        """
        return self._dataset(
            self.endless_batches(
                start_step=start_step, accumulate=accumulate, batch_tokens=batch_tokens, seed=seed
            )
        )

    def _dataset(self, batches):
        import tensorflow as tf

        return tf.data.Dataset.from_generator(
            lambda: (rows.batch(indices) for rows, indices in batches()),
            output_signature=self._signature(),
        ).prefetch(tf.data.AUTOTUNE)


class Rows(RowSource, Examples, abc.ABC):
    """Rows in one flat array of ids; subclasses say what a batch is.

    Args:
        ids: All ids in one array.
        row_splits: Row `i` is `ids[row_splits[i]:row_splits[i + 1]]`.
        widest: What no row is padded beyond.

    Attributes:
        ids: The ids.
        row_splits: The row splits.
        lengths: The number of ids of every row.
    """

    def __init__(self, ids: np.ndarray, row_splits: np.ndarray, widest: int):
        # Ids of two bytes, in which caches have them, stay as they are.
        self.ids = ids if ids.dtype == np.uint16 else np.asarray(ids, np.int32)
        self.row_splits = np.asarray(row_splits, np.int64)
        self.lengths = np.diff(self.row_splits)
        self._widest = widest

    def __len__(self) -> int:
        return len(self.lengths)

    @abc.abstractmethod
    def batch(self, indices: np.ndarray) -> Any:
        """Returns the batch of some rows, as a model takes it.

        Args:
            indices: Which rows.
        """

    @property
    def longest(self) -> int:
        return int(self.lengths.max(initial=0))

    def widths(self, length_multiple: int = 4) -> list[np.ndarray]:
        """Returns a list of the padded length of every row.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
        """
        return [self.padded_lengths(length_multiple)]

    def fits(self, max_length: Limit) -> np.ndarray:
        """Returns whether each row is short enough, boolean.

        Args:
            max_length: The most ids of a row; None for any number.
        """
        return self.lengths <= min(limits(max_length))

    def left_out(self, max_length: Limit) -> int:
        return int((~self.fits(max_length)).sum())

    def padded_lengths(self, length_multiple: int = 4) -> np.ndarray:
        """Returns the padded length of every row.

        Args:
            length_multiple: Lengths are rounded up to a multiple of this.
        """
        return padded_lengths(self.lengths, length_multiple, self._widest)

    def endless_batches(self, **options: Any) -> Callable[[], Iterator[RowBatch]]:
        batches = endless_batches(self, **options)
        return lambda: ((self, indices) for indices in batches())

    def evaluation_dataset(self, *, batch_tokens: int) -> "tf.data.Dataset":
        """Makes a dataset of one pass over the rows, the longest first.

        Args:
            batch_tokens: As for `training_dataset`.
        """
        batches = evaluation_batches(self, batch_tokens=batch_tokens)
        return self._dataset(lambda: ((self, indices) for indices in batches))

    def _padded(self, indices: np.ndarray, pad_id: int) -> np.ndarray:
        """Returns the ids of some rows, padded to one length."""
        lengths = self.lengths[indices]
        width = int(padded_lengths(lengths, 4, self._widest).max())
        return padded_rows(self.ids, self.row_splits[indices], lengths, width, pad_id)


def padded_lengths(lengths: np.ndarray, length_multiple: int, widest: int) -> np.ndarray:
    """Returns lengths rounded up to a multiple, but not beyond the widest.

    Args:
        lengths: The lengths.
        length_multiple: The multiple.
        widest: What no length is rounded up beyond.

    Example:
        >>> padded_lengths(np.array([3, 9]), length_multiple=4, widest=10)
        array([ 4, 10])
    """
    return np.minimum(-(-lengths // length_multiple) * length_multiple, widest)
