"""What a training run keeps on disk so that it can go on after a kill."""

import contextlib
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfcompress.digests import CorruptFileError
from tfcompress.errors import InputError
from tfcompress.files import read_json, remove_leftovers, replace_file
from tfcompress.training.checkpoint_files import (
    checkpoint_prefix,
    kept_updates,
    read_note,
    remove_checkpoints,
    write_note,
)

_KEPT = 2
_PACKAGES = ("tensorflow", "tf_keras", "keras")
_FLAVOUR = 3 if hasattr(keras, "ops") else 2


class TrainingState:
    """The resumable state of a training run: weights, optimizer, random state and history.

    Saved after every evaluation. A checkpoint counts once its note is written, which holds the
    history, the versions and a digest of every file; the one before stays as long. So a kill at any
    time leaves the state of one evaluation intact, and a damaged file the state of another.

    Args:
        folder: Where to keep it; made if needed.
        model: The model in training.
        optimizer: Its optimizer, built.
        choose: Called with the history, returns the evaluations whose mean weights the trained
            model has; by default the last one. Others' weights are not kept.
        helpers: Layers that are trained beside the model and no part of it.
        log: Called with a line about checkpoints that cannot be used.

    Attributes:
        history: One dictionary of metrics for each evaluation so far.
        is_kept: Whether this process keeps the state on the disk.
    """

    is_kept = True

    def __init__(
        self,
        folder: str | Path,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        choose: Callable[[list[dict]], Sequence[Mapping]] = lambda history: history[-1:],
        helpers: Sequence[keras.layers.Layer] = (),
        log: Callable[[str], object] = print,
    ):
        self.folder = Path(folder)
        self.history: list[dict] = []
        self._model = model
        self._choose = choose
        self._log = log
        # The histories of the checkpoints that are kept, the newest first.
        self._kept: dict[int, list[dict]] = {}
        self._update = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._checkpoint = tf.train.Checkpoint(
            model=model,
            optimizer=optimizer,
            update=self._update,
            helpers=tf.train.Checkpoint(
                **{f"helper_{i}": layer for i, layer in enumerate(helpers)}
            ),
        )

    def restore(self) -> int:
        """Restores the newest checkpoint that can be used and returns its number of updates.

        What is wrong with newer ones is logged. 0 if nothing was saved yet.

        Raises:
            InputError: If there are checkpoints and none can be used, one cannot be read, or one
                was written under the other flavour of Keras.
        """
        for place in ("", "state", "weights"):
            remove_leftovers(self.folder / place)
        faults, update = [], 0
        for kept in kept_updates(self.folder):
            try:
                note = read_note(self.folder, kept)
                if not update:
                    self._read(note)
                    update, self.history = kept, list(note.history)
                self._kept[kept] = note.history
            except CorruptFileError as fault:
                if not update:
                    faults.append(f"checkpoint {kept}: {fault}")
        if not update:
            self._check_nothing_is_lost(faults)
            remove_checkpoints(self.folder, keep=[])
            return 0
        if faults:
            self._log(f"{'; '.join(faults)}; going on from update {update}")
        remove_checkpoints(self.folder, keep=[*self._kept])
        self._write_history()
        return update

    def share(self, compute: Callable[[], Any]) -> Any:
        """Returns what a function gives.

        Args:
            compute: The function; of several workers only the first one calls it.
        """
        return compute()

    def save(self, metrics: dict) -> None:
        """Saves the state after the evaluation with these `metrics` (`update` among them).

        Raises:
            InputError: If it cannot be written.
        """
        update = metrics["update"]
        self.history.append(metrics)
        self._update.assign(update)
        self._save_weights(update)
        prefix = checkpoint_prefix(self.folder, update)
        prefix.parent.mkdir(parents=True, exist_ok=True)
        self._checkpoint.write(str(prefix))
        values = {"keras": _FLAVOUR, "versions": _versions(), "history": list(self.history)}
        write_note(self.folder, update, **values)
        self._write_history()
        self._kept[update] = list(self.history)
        for old in sorted(self._kept)[:-_KEPT]:
            del self._kept[old]
        remove_checkpoints(self.folder, keep=[*self._kept])
        self._remove_weights()

    def weights(self) -> list[np.ndarray]:
        """Returns the weights of the model in training."""
        return model_weights(self._model)

    def chosen_weights(self) -> list[np.ndarray]:
        """Returns the mean of the chosen evaluations' weights, in the order of `get_weights`.

        Raises:
            InputError: If they were not kept, because others were chosen before, or are damaged.
        """
        updates = [entry["update"] for entry in self._choose(self.history)]
        total = None
        for update in updates:
            weights = self._load_weights(update)
            total = weights if total is None else [a + b for a, b in zip(total, weights)]
        return [(array / len(updates)).astype(np.float32) for array in total or ()]

    def _load_weights(self, update):
        """The weights of an evaluation, from its checkpoint if its file of weights is damaged."""
        path = self._weights_path(update)
        try:
            with np.load(path) as arrays:
                return [arrays[name].astype(np.float64) for name in arrays.files]
        except PermissionError as error:
            raise InputError(
                f"The weights cannot be read. Received: {path} ({error.strerror}). Check its "
                "permissions."
            ) from error
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            with contextlib.suppress(CorruptFileError):
                if update in self._kept:
                    self._read(read_note(self.folder, update))
                    return [array.astype(np.float64) for array in model_weights(self._model)]
            raise InputError(
                f"The weights of this evaluation are missing or damaged ({error}). Received: "
                f"{path}. Choose others, or remove the folder of the training to train from the "
                "start."
            ) from error

    def _read(self, note):
        """Restores a checkpoint."""
        if note.keras != _FLAVOUR:
            raise InputError(
                f"The training was begun under Keras {note.keras}. Received: Keras {_FLAVOUR}, for "
                f"{self.folder}. Set TF_USE_LEGACY_KERAS={int(note.keras == 2)}."
            )
        others = ", ".join(
            f"{name} {former}, now {now}"
            for name, former in note.versions.items()
            if (now := _versions().get(name)) != former
        )
        prefix = checkpoint_prefix(self.folder, note.update)
        try:
            self._checkpoint.read(str(prefix)).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise CorruptFileError(f"{reason}{f' ({others})' if others else ''}") from error
        if others:
            self._log(f"going on with other versions than before: {others}")

    def _check_nothing_is_lost(self, faults):
        """Makes sure, where no checkpoint can be used, that there was none."""
        if not faults and _is_empty(self.folder / "history.json"):
            return
        reason = "; ".join(faults) or "there is a history and no checkpoint"
        raise InputError(
            f"No saved state of the training can be used. Received: {self.folder}, where {reason}. "
            "Put the files back, or remove this folder to train from the start."
        )

    def _write_history(self):
        text = json.dumps(self.history, indent=1)
        replace_file(self.folder / "history.json", text.encode("utf-8"))

    def _save_weights(self, update):
        path = self._weights_path(update)
        arrays = {f"{i:05d}": array for i, array in enumerate(model_weights(self._model))}
        replace_file(path, lambda file: np.savez(file, **arrays))  # pyright: ignore[reportArgumentType]

    def _remove_weights(self):
        # What an older checkpoint would need is kept as long as that is.
        keep = {path for history in self._kept.values() for path in self._chosen_paths(history)}
        for path in self._weights_path(0).parent.glob("*.npz"):
            if path not in keep:
                path.unlink()

    def _chosen_paths(self, history):
        return [self._weights_path(entry["update"]) for entry in self._choose(history)]

    def _weights_path(self, update):
        return self.folder / "weights" / f"{update:09d}.npz"


def _versions():
    return {name: version(name) for name in _PACKAGES}


def _is_empty(path):
    """Whether a history has no evaluations."""
    return not path.exists() or read_json(path) == []


def model_weights(model: keras.Model) -> list[np.ndarray]:
    """Returns the model's parameters without the state of random generators, in a fixed order."""
    return [variable.numpy() for variable in parameters(model)]


def parameters(model: keras.Model) -> list:
    """Returns the model's variables that are parameters, not the state of random generators."""
    return [v for v in model.weights if tf.as_dtype(v.dtype).is_floating]
