"""Datasets of rows that are held in memory."""

import abc
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcompress.text.batching import Examples, endless_batches, evaluation_batches

if TYPE_CHECKING:
    import tensorflow as tf


class RowDatasets(Examples, abc.ABC):
    """Rows, such as texts, that give datasets of their batches; subclasses say what a batch is."""

    @abc.abstractmethod
    def batch(self, indices: np.ndarray) -> Any:
        """Returns the batch of some rows, as a model takes it.

        Args:
            indices: Which rows.
        """

    @abc.abstractmethod
    def _signature(self) -> Any:
        """Returns the types and shapes of what `batch` returns, as TensorFlow's `TensorSpec`."""

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
            A dataset of what `batch` returns.

        Raises:
            InputError: A row alone exceeds `batch_tokens`.
        """
        return self._dataset(
            endless_batches(
                self,
                start_step=start_step,
                accumulate=accumulate,
                batch_tokens=batch_tokens,
                seed=seed,
            )
        )

    def evaluation_dataset(self, *, batch_tokens: int) -> "tf.data.Dataset":
        """Makes a dataset of one pass over the rows, the longest first.

        Args:
            batch_tokens: As for `training_dataset`.
        """
        batches = evaluation_batches(self, batch_tokens=batch_tokens)
        return self._dataset(lambda: batches)

    def _dataset(self, batches):
        import tensorflow as tf

        return tf.data.Dataset.from_generator(
            lambda: (self.batch(indices) for indices in batches()),
            output_signature=self._signature(),
        ).prefetch(tf.data.AUTOTUNE)
