"""What a training run keeps on disk so that it can go on after a kill."""

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.errors import InputError
from tfcompress.files import replace_file


class TrainingState:
    """The resumable state of a training run: weights, optimizer, random state and history.

    Saved after every evaluation; what an earlier one left is removed last, so that a kill at any
    time leaves the state of one evaluation intact.

    Args:
        folder: Where to keep it; made if needed.
        model: The model in training.
        optimizer: Its optimizer, built.
        choose: Called with the history, returns the evaluations whose mean weights the trained
            model has; by default the last one. Others' weights are not kept.
        helpers: Layers that are trained beside the model and no part of it.

    Attributes:
        history: One dictionary of metrics for each evaluation so far.
    """

    def __init__(
        self,
        folder: str | Path,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        choose: Callable[[list[dict]], Sequence[Mapping]] = lambda history: history[-1:],
        helpers: Sequence[keras.layers.Layer] = (),
    ):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.history: list[dict] = []
        self._model = model
        self._choose = choose
        self._update = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._checkpoint = tf.train.Checkpoint(
            model=model,
            optimizer=optimizer,
            update=self._update,
            helpers=tf.train.Checkpoint(
                **{f"helper_{i}": layer for i, layer in enumerate(helpers)}
            ),
        )
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(self.folder / "state"), max_to_keep=2
        )

    def restore(self) -> int:
        """Restores the last saved state, if there is one, and returns its number of updates.

        Raises:
            InputError: If the files are damaged.
        """
        latest = self._manager.latest_checkpoint
        if latest is None:
            return 0
        try:
            self._checkpoint.restore(latest).assert_existing_objects_matched()
            history = json.loads((self.folder / "history.json").read_text(encoding="utf-8"))
        except (tf.errors.OpError, AssertionError, OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"The saved training state is damaged ({reason}). Received: {self.folder}. Remove "
                "this folder to train from the start."
            ) from error
        update = int(self._update.numpy())
        self.history = [entry for entry in history if entry["update"] <= update]
        return update

    def save(self, metrics: dict) -> None:
        """Saves the state after the evaluation with these `metrics` (`update` among them)."""
        self.history.append(metrics)
        self._update.assign(metrics["update"])
        self._save_weights(metrics["update"])
        text = json.dumps(self.history, indent=1)
        replace_file(self.folder / "history.json", text.encode("utf-8"))
        self._manager.save(checkpoint_number=metrics["update"])
        self._remove_weights()

    def chosen_weights(self) -> list[np.ndarray]:
        """Returns the mean of the chosen evaluations' weights, in the order of `get_weights`.

        Raises:
            InputError: If they were not kept, because others were chosen before, or are damaged.
        """
        paths = self._chosen_paths()
        total = None
        for path in paths:
            try:
                with np.load(path) as arrays:
                    weights = [arrays[name].astype(np.float64) for name in arrays.files]
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                raise InputError(
                    f"The weights of this evaluation are missing or damaged ({error}). Received: "
                    f"{path}. Choose others, or remove the folder of the training to train from "
                    "the start."
                ) from error
            total = weights if total is None else [a + b for a, b in zip(total, weights)]
        return [(array / len(paths)).astype(np.float32) for array in total or ()]

    def _save_weights(self, update):
        path = self._weights_path(update)
        path.parent.mkdir(exist_ok=True)
        arrays = {f"{i:05d}": array for i, array in enumerate(model_weights(self._model))}
        replace_file(path, lambda file: np.savez(file, **arrays))  # pyright: ignore[reportArgumentType]

    def _remove_weights(self):
        keep = self._chosen_paths()
        for path in self._weights_path(0).parent.glob("*.npz"):
            if path not in keep:
                path.unlink()

    def _chosen_paths(self):
        return [self._weights_path(entry["update"]) for entry in self._choose(self.history)]

    def _weights_path(self, update):
        return self.folder / "weights" / f"{update:09d}.npz"


def model_weights(model: keras.Model) -> list[np.ndarray]:
    """Returns the model's parameters without the state of random generators, in a fixed order."""
    return [variable.numpy() for variable in parameters(model)]


def parameters(model: keras.Model) -> list:
    """Returns the model's variables that are parameters, not the state of random generators."""
    return [v for v in model.weights if tf.as_dtype(v.dtype).is_floating]
