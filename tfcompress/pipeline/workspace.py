"""The folder of a run: what belongs to it and where its stages put their files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.files import read_json, replace_file
from tfcompress.pipeline.recipe import Recipe, differences
from tfcompress.pipeline.recipe_files import recipe_from_mapping
from tfcompress.text import TextTokenizer, Tokenizer, text_tokenizer

TOKENIZER = "tokenizer"
RUN_FILE = "run.json"
# The training corpus' index, beside the cache of its tokens.
CORPUS_INDEX = "training/corpus/index.json"
# What the stages' files must hold.
HISTORY = [{"update": int}]
TIMING = {
    "bundle_bytes": int,
    "latency_ms": {"mean": float},
    "peak_rss_bytes": int,
    "device": str,
    "threads": int,
}


class Workspace:
    """A run's folder, bound to one recipe and one corpus.

    Args:
        folder: Made if needed.
        recipe: The recipe of the run.
        corpus_digest: Digest of the corpus' content.

    Raises:
        InputError: If the folder belongs to another run or holds other files.
    """

    def __init__(self, folder: str | Path, recipe: Recipe, corpus_digest: str):
        self.folder = Path(folder)
        identity = {"recipe": schema.to_mapping(recipe), "corpus": corpus_digest}
        # The same corpus may lie in another place when the run goes on.
        identity["recipe"]["corpus"]["path"] = None
        path = self.folder / RUN_FILE
        if path.exists():
            self._check(path, identity)
        else:
            if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
                raise InputError(
                    f"{self.folder}: not empty and not a run's folder; give another --run"
                )
            replace_file(path, (json.dumps(identity, indent=2) + "\n").encode("utf-8"))

    def _check(self, path, identity):
        try:
            former = read_json(path)
            keys = differences(_completed(former["recipe"]), identity["recipe"])
            same_corpus = former["corpus"] == identity["corpus"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: damaged ({error}); give another --run") from error
        if keys:
            raise InputError(
                f"{self.folder}: holds a run of another recipe (it differs in {', '.join(keys)}); "
                "give another --run"
            )
        if not same_corpus:
            raise InputError(
                f"{self.folder}: holds a run on another corpus (the sentences differ); give "
                "another --run"
            )

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
    settings = read_metrics(place / "settings.json", {})
    if settings is None:
        raise InputError(f"{folder}: has no tokenizer of a text encoder; give another run")
    files = {path.name: path.read_bytes() for path in place.iterdir()}
    return text_tokenizer(settings, files)


def finished_run(folder: str | Path, key: str) -> Path:
    """Returns the folder of a finished run, or of one whose model is finished.

    Args:
        folder: The run.
        key: The recipe's key that names it.

    Raises:
        InputError: If there is no such run.
    """
    folder = Path(folder)
    if not (folder / RUN_FILE).is_file() or not (folder / "model").is_dir():
        raise InputError(
            f"`{key}` must be the folder of a finished run, with `run.json` and `model` in it "
            f"(received {folder}); run its recipe first"
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
    """Returns what a finished stage wrote, or None.

    Args:
        path: The stage's file.
        shape: What must be in it, as for `schema.shape_problems`.

    Raises:
        InputError: If the file is damaged.
    """
    try:
        metrics = read_json(path)
    except FileNotFoundError:
        return None
    except InputError as error:
        raise InputError(f"{error} Remove the file to measure again.") from None
    problems = schema.shape_problems(shape, metrics)
    if problems:
        raise InputError(
            f"{path}: damaged ({'; '.join(problems[:3])}); remove the file to measure again"
        )
    return metrics


def check_results(path: Path, results: Sequence, examples: Sequence) -> None:
    """Makes sure that a stage's file has one result for each test example.

    Args:
        path: The file.
        results: What it holds.
        examples: The test examples.

    Raises:
        InputError: If their numbers differ.
    """
    if len(results) != len(examples):
        raise InputError(
            f"{path}: damaged ({len(results)} results for {len(examples)} test examples); remove "
            "the file to measure again"
        )


def write_metrics(path: Path, metrics: Any) -> Any:
    """Writes what a stage found, completely or not at all, and returns it."""
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    replace_file(path, (text + "\n").encode("utf-8"))
    return metrics


def _completed(mapping):
    """A recipe as it was saved, with the defaults of keys that there were not yet."""
    try:
        return schema.to_mapping(recipe_from_mapping(mapping))
    except InputError:
        return mapping
