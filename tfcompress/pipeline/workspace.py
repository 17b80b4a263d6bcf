"""The folder of a run: who works in it, what is known of it, and where its files lie."""

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.digests import digest
from tfcompress.errors import InputError
from tfcompress.files import (
    check_writable,
    is_leftover,
    read_json,
    remove_leftovers,
    replace_file,
)
from tfcompress.locks import FolderLock
from tfcompress.pipeline.identity import describe_files, differences, model_digest
from tfcompress.pipeline.recipe import Recipe
from tfcompress.pipeline.record import COPY, RUN_FILE, RunRecord, plain
from tfcompress.text import TextTokenizer, Tokenizer, text_tokenizer
from tfcompress.training.checkpoint_files import last_update
from tfcompress.training.config import TrainingConfig

TOKENIZER = "tokenizer"
LOCK = ".lock"
# The training corpus' index, beside the cache of its tokens.
CORPUS_INDEX = "training/corpus/index.json"
# What the model of an imported run depends on.
IMPORTED = "imported_from"
# What the stages' files must hold.
HISTORY = [{"update": int}]
TIMING = {
    "bundle_bytes": int,
    "latency_ms": {"mean": float},
    "peak_rss_bytes": int,
    "device": str,
    "threads": int,
}
# The folders in which stages write.
_PLACES = ("", "tokenizer", "training", "training/state", "training/weights", "training/corpus")
_PLACES += ("bundles", "evaluation", "benchmark")


class Workspace:
    """A run's folder, which one process has for itself while the block runs.

    What killed processes left in it is removed on entry. If nothing was written, nothing remains.

    Args:
        folder: Made if needed.

    Attributes:
        folder: The folder.
        record: What is known of the stages.

    Raises:
        InputError: On entry, if another process has the folder, it holds other files or a damaged
            record, or cannot be written to.

    Example:

    >>> with Workspace("runs/new") as workspace:
    ...     workspace.record.stages
    {}
    """

    record: RunRecord

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._lock = FolderLock(self.folder / LOCK, self.folder)
        self._new_folders: list[Path] = []

    def __enter__(self) -> "Workspace":
        check_run_folder(self.folder)
        check_writable(self.folder / LOCK)
        folders = [self.folder, *self.folder.absolute().parents]
        self._new_folders = [folder for folder in folders if not folder.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.__enter__()
            self.record = RunRecord(self.folder)
            for place in _PLACES:
                remove_leftovers(self.folder / place)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *details: object) -> None:
        self._lock.__exit__(*details)
        with contextlib.suppress(OSError):
            for folder in self._new_folders:
                folder.rmdir()

    def check_training(self, needs: Mapping[str, Any], updates: int) -> Mapping[str, Any]:
        """Makes sure that a training that the folder has is the one that is wanted.

        Args:
            needs: What the training depends on.
            updates: How long it is to be.

        Returns:
            What it depends on, as it is in the record if it has begun.

        Raises:
            InputError: If it is another, or went on for longer, or the model was imported.
        """
        if IMPORTED in (self.record.needs("model") or {}):
            raise InputError(
                f"An imported model is not trained where it is. Received: {self.folder}. Give "
                "another --run, and name this folder under `start_from`."
            )
        former = self.record.stages.get("training")
        if former is None or not self.has_training:
            return needs
        # A record from before a setting existed has its default.
        defaults = schema.to_mapping(TrainingConfig())
        settings = {name: defaults[name] for name in needs["training"] if name != "updates"}
        known = former["needs"] | {"training": settings | former["needs"]["training"]}
        keys = differences(known, plain(needs))
        if keys:
            reason = ""
            if keys == ["training.updates"]:
                reason = ", which the schedule of this training depends on"
            raise InputError(
                f"The run has another training. Received: {self.folder}, which differs in "
                f"{', '.join(keys)}{reason}. Give another --run, or remove this training with "
                f"`tfcompress run rm {self.folder} --stage training`."
            )
        done = last_update(self.training)
        if updates < done:
            raise InputError(
                f"`training.updates` must be at least what the run has trained. Received: "
                f"{updates}, where {self.folder} has {done}. Give another --run for fewer."
            )
        return former["needs"]

    def begin(self, recipe: Recipe, needs: Mapping[str, Any], validation: Mapping) -> None:
        """Notes what the run is, and what its training depends on.

        Args:
            recipe: The recipe.
            needs: What its training depends on.
            validation: How it is judged, unless it has begun.
        """
        former = self.record.stages.get("training", {})
        if self.has_training:
            validation = former["validation"]
        mapping, stage = (
            plain(schema.to_mapping(recipe)),
            plain({"needs": needs, "updates": recipe.training.updates, "validation": validation}),
        )
        if (self.record.recipe, former) != (mapping, stage):
            self.record.recipe, self.record.stages["training"] = mapping, stage
            self.record.write()

    def remove_beginning(self) -> None:
        """Removes the tokenizers, and the model that training was to begin with."""
        for name in (*tokenizer_names(self.folder), "start"):
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def finish_beginning(self, needs: Mapping[str, Any]) -> None:
        """Notes that the tokenizers are there, and the model to begin with where there is one.

        Args:
            needs: What the training depends on.

        Raises:
            InputError: If they are not what a training that has begun had.
        """
        names = tokenizer_names(self.folder)
        stages = {"tokenizers": (names, digest(describe_files(self.folder, names)))}
        if self.start.exists():
            stages["start"] = ["start"], model_digest(self.start)
        for stage, (names, content) in stages.items():
            former = self.record.stages.get(stage, {}).get("content")
            if self.has_training and former not in (None, content):
                raise InputError(
                    "What the training began with was damaged and is not what it was. Received: "
                    f"{', '.join(names)} in {self.folder}. Put the files back, or give another "
                    "--run."
                )
            self.record.finish(stage, needs, *names, content=content)

    @property
    def validation_settings(self) -> dict[str, Any]:
        """How the training is judged."""
        return self.record.stages["training"]["validation"]

    @property
    def has_training(self) -> bool:
        """Whether something would be lost if the training began anew."""
        trained = self.record.stages.get("training", {}).get("updates")
        return bool(last_update(self.training) or (trained and self.model.exists()))

    @property
    def training(self) -> Path:
        """The state of training."""
        return self.folder / "training"

    @property
    def start(self) -> Path:
        """The model that training begins with, where it begins with a trained one."""
        return self.folder / "start"

    @property
    def model(self) -> Path:
        """The trained model, as `load_preset` reads it."""
        return self.folder / "model"

    def bundle(self, quantization: str) -> Path:
        """Returns the folder of the bundle of that quantization."""
        return self.folder / "bundles" / quantization

    def metrics(self, stage: str, quantization: str) -> Path:
        """Returns the file of a stage's metrics of a bundle."""
        return self.folder / stage / f"{quantization}.json"


def save_text_tokenizer(tokenizer: TextTokenizer, folder: Path) -> None:
    """Writes the tokenizer of a text encoder's run.

    Args:
        tokenizer: The tokenizer.
        folder: The run's folder.
    """
    for name, content in tokenizer.files().items():
        replace_file(folder / TOKENIZER / name, content)
    write_metrics(folder / TOKENIZER / "settings.json", tokenizer.settings())


def has_text_tokenizer(folder: Path) -> bool:
    """Returns whether a folder has the tokenizer of a text encoder's run.

    Args:
        folder: The run's folder.
    """
    # Its settings are written last.
    return (folder / TOKENIZER / "settings.json").exists()


def saved_text_tokenizer(folder: Path) -> TextTokenizer:
    """Returns the tokenizer of a text encoder's run.

    Args:
        folder: The run's folder.

    Raises:
        InputError: If it is missing or damaged.
    """
    place = folder / TOKENIZER
    if not has_text_tokenizer(folder):
        raise InputError(
            f"The run has no tokenizer of a text encoder. Received: {folder}. Give another run."
        )
    settings = read_metrics(place / "settings.json", {})
    files = {path.name: path.read_bytes() for path in place.iterdir()}
    return text_tokenizer(settings, files)


def check_run_folder(folder: str | Path, *, exists: bool = False) -> Path:
    """Returns a folder after making sure that it is a run's, or can become one.

    Args:
        folder: The folder.
        exists: Whether it must be a run's already.

    Raises:
        InputError: If it holds something else, or nothing where it must be a run's.
    """
    folder = Path(folder)
    if is_run(folder):
        return folder
    if exists:
        raise InputError(
            f"There is no run. Received: {folder}. Give the folder that `tfcompress train` wrote."
        )
    # What a process left that was killed before it wrote anything does not count.
    if folder.exists() and (
        not folder.is_dir()
        or any(path.name != LOCK and not is_leftover(path.name) for path in folder.iterdir())
    ):
        raise InputError(
            f"A run needs a folder of its own. Received: {folder}, which has other content. Give "
            "another --run."
        )
    return folder


def is_run(folder: str | Path) -> bool:
    """Returns whether a folder is a run's."""
    return any((Path(folder) / name).is_file() for name in (RUN_FILE, COPY))


def model_run(folder: str | Path) -> Path | None:
    """Returns the run that a folder is, or whose model it is; None where there is none."""
    folder = Path(folder)
    run = folder.parent if folder.name == "model" else folder
    return run if is_run(run) else None


def run_digest(folder: str | Path) -> str:
    """Returns a digest of the model and the tokenizers of a run, wherever it lies.

    Args:
        folder: The run.

    Raises:
        InputError: If a file cannot be read.
    """
    folder = Path(folder)
    tokenizers = describe_files(folder, tokenizer_names(folder))
    return digest([model_digest(folder / "model"), tokenizers])


def tokenizer_names(folder: str | Path) -> list[str]:
    """Returns the names of the files and folders of a run's tokenizers that there are."""
    names = (TOKENIZER, *(f"{side}.model" for side in ("tokenizer", "source", "target")))
    return [name for name in names if (Path(folder) / name).exists()]


def finished_run(folder: str | Path, key: str) -> Path:
    """Returns the folder of a finished run, or of one whose model is finished.

    Args:
        folder: The run.
        key: The recipe's key that names it.

    Raises:
        InputError: If there is no such run.
    """
    folder = Path(folder)
    if not is_run(folder) or not (folder / "model").is_dir():
        raise InputError(
            f"`{key}` must be the folder of a finished run, with `{RUN_FILE}` and `model` in it. "
            f"Received: {folder}. Run its recipe first."
        )
    return folder


def tokenizer_path(folder: Path, side: str) -> Path:
    """Returns where a translation run's tokenizer of a side lies.

    Args:
        folder: The run's folder.
        side: "source", "target", or "joint" for both.
    """
    return folder / ("tokenizer.model" if side == "joint" else f"{side}.model")


def has_tokenizers(folder: Path) -> bool:
    """Returns whether a folder has the tokenizers of a translation run.

    Args:
        folder: The run's folder.
    """
    if tokenizer_path(folder, "joint").exists():
        return True
    return all(tokenizer_path(folder, side).exists() for side in ("source", "target"))


def saved_tokenizers(folder: Path) -> tuple[Tokenizer, Tokenizer]:
    """Returns the tokenizers of source and target of a run, one object twice where they are one.

    Args:
        folder: The run's folder.

    Raises:
        InputError: If they are missing or damaged.
    """
    joint = tokenizer_path(folder, "joint")
    if joint.exists():
        tokenizer = Tokenizer(joint)
        return tokenizer, tokenizer
    source, target = (Tokenizer(tokenizer_path(folder, side)) for side in ("source", "target"))
    return source, target


def read_metrics(path: Path, shape: Any) -> Any:
    """Returns what a finished stage wrote.

    Args:
        path: The stage's file.
        shape: What must be in it, as for `schema.shape_problems`.

    Raises:
        InputError: If the file is missing or corrupt.
    """
    try:
        metrics = read_json(path)
    except FileNotFoundError:
        raise InputError(
            f"A file of the run is missing. Received: {path}. Run its recipe again."
        ) from None
    problems = schema.shape_problems(shape, metrics)
    if problems:
        raise InputError(
            f"A file of the run is corrupt. Received: {path} ({'; '.join(problems[:3])}). Remove "
            "it and run the recipe again."
        )
    return metrics


def write_metrics(path: Path, metrics: Any) -> Any:
    """Writes what a stage found, completely or not at all, and returns it."""
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    replace_file(path, (text + "\n").encode("utf-8"))
    return metrics
