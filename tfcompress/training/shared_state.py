"""The state of a training on several workers."""

import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfcompress.training.checkpoint_files import checkpoint_prefix
from tfcompress.training.checkpoints import TrainingState
from tfcompress.training.cluster import Cluster

_APART = "The weights of two workers are not the same after"


class SharedState:
    """What the first of several workers keeps on the disk, and the others receive from it.

    It has the methods of `TrainingState`, called by all workers alike. The first one reads the
    newest checkpoint that can be used and the others get its files, so that all go on from the same
    update, on machines of their own or on one.

    Args:
        state: The state of this worker's model.
        cluster: The workers.
    """

    def __init__(self, state: TrainingState, cluster: Cluster):
        self._state = state
        self._cluster = cluster
        self.is_kept = cluster.is_first

    @property
    def history(self) -> list[dict]:
        """One dictionary of metrics for each evaluation so far."""
        return self._state.history

    def share(self, compute: Callable[[], Any]) -> Any:
        """Returns what a function gives in the first worker.

        Args:
            compute: The function.
        """
        return self._cluster.share(compute)

    def restore(self) -> int:
        """Brings every worker to the newest checkpoint and returns its number of updates."""
        if self.is_kept:
            return self._send(self._state.restore())
        update = self._cluster.share(lambda: None)
        if update:
            with tempfile.TemporaryDirectory() as folder:
                self._state.folder = Path(folder)
                self._cluster.share_files(checkpoint_prefix(self._state.folder, update).parent)
                self._state.restore()
        return update

    def _send(self, update):
        self._cluster.share(lambda: update)
        if update:
            prefix = checkpoint_prefix(self._state.folder, update)
            names = sorted(path.name for path in prefix.parent.glob(f"{prefix.name}.*"))
            self._cluster.share_files(prefix.parent, names)
        return update

    def save(self, metrics: dict) -> None:
        """Saves the state after an evaluation, once all workers have the same weights.

        Args:
            metrics: The metrics of the evaluation, the same everywhere.
        """
        own = zlib.crc32(b"".join(array.tobytes() for array in self._state.weights()))
        expected = self._cluster.share(lambda: own)
        problem = None
        if own != expected:
            problem = f"{_APART} update {metrics['update']}. Received: {own}, not {expected}."
        self._cluster.agree(problem, "Train on machines of one kind with the same versions.")
        if self.is_kept:
            self._state.save(metrics)
        else:
            self.history.append(metrics)

    def chosen_weights(self) -> list[np.ndarray]:
        """Returns the weights of the trained model, as the first worker has them."""
        weights = self._state.chosen_weights() if self.is_kept else self._state.weights()
        return [
            np.frombuffer(
                self._cluster.share_bytes(array.astype(np.float32).tobytes()), np.float32
            ).reshape(array.shape)
            for array in weights
        ]
