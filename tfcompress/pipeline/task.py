"""What a run must know of its kind of model."""

import abc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tfcompress import schema
from tfcompress.digests import digest
from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.pipeline.identity import content_digest
from tfcompress.pipeline.progress import Progress
from tfcompress.pipeline.recipe import replaced
from tfcompress.pipeline.surgery_context import SurgeryContext
from tfcompress.pipeline.workspace import (
    CORPUS_INDEX,
    Workspace,
    finished_run,
    is_run,
    run_digest,
)
from tfcompress.text import Mixture, RowMixture
from tfcompress.text.text_stream import split_content

Log = Callable[[str], object]


class Task(abc.ABC):
    """A kind of model in a run: its data, its tokenizers, its training and its scores.

    Args:
        recipe: The recipe.
        corpus: Where the corpus lies, instead of the recipe's own path.
        index: Where the run keeps the index of a corpus that is a stream.

    Attributes:
        recipe: The recipe.
        corpus: The corpus: its `name`, its `splits`, and its `digest`.
        tokenizers: What makes ids; None until the run has begun.

    Raises:
        InputError: If corpus and recipe do not fit together, or the recipe needs a run that is not
            finished.
    """

    # What the examples are called, in the settings of benchmarks too.
    examples: ClassVar[str]
    # What the file of an evaluation must hold.
    evaluation: ClassVar[Mapping[str, Any]]
    # Mixes groups of training examples.
    mixture: ClassVar[type[Mixture]] = RowMixture

    def __init__(self, recipe: Any, corpus: str | Path | None, index: str | Path | None = None):
        self.recipe = recipe
        self.index = index
        self.tokenizers: Any = None
        self.corpus = self.load_corpus(corpus)
        if "test" not in self.corpus.splits:
            raise InputError(
                f"The corpus must have a test split. Received: {self.corpus.name} without "
                f"`{recipe.corpus.test}`. Add it, or name another under `corpus.test`."
            )
        for key, run in recipe.runs().items():
            if run is not None:
                finished_run(run, key)
        self.check()

    @abc.abstractmethod
    def load_corpus(self, path: str | Path | None) -> Any:
        """Returns the corpus.

        Args:
            path: Where it lies, instead of the recipe's own path.

        Raises:
            InputError: If it cannot be read.
        """

    @abc.abstractmethod
    def check(self) -> None:
        """Finds, before anything is written, what would stop a later stage."""

    def training_needs(self) -> dict[str, Any]:
        """Returns what the training depends on, by keys as in the recipe.

        Files count by their content, wherever they lie. How many updates there are counts only
        where the course of the first ones depends on it.
        """
        recipe = schema.to_mapping(self.recipe)
        training = recipe["training"]
        if not self.recipe.training.fixed_updates:
            del training["updates"]
        del training["worker_timeout"]
        sources = {name: recipe.get(name) for name in ("start_from", "pretrained", "teacher")}
        needs = {"tokenizer": recipe.get("tokenizer"), **sources}
        needs = replaced(needs, self.recipe.paths, self._content)
        # How the splits are used; where they lie does not count.
        settings = {name: recipe["corpus"].get(name) for name in ("weights", "join")}
        settings = {name: value for name, value in settings.items() if value}
        return {
            **{name: value for name, value in needs.items() if value is not None},
            "model": recipe["model"],
            "surgery": {"before": recipe["surgery"]["before"]},
            "training": training,
            "corpus": settings | {split: self.split_digest(split) for split in ("train", "valid")},
        }

    def validation_settings(self) -> dict[str, Any]:
        """Returns how a training is judged; it stays as it was when the training began."""
        return {}

    def evaluation_needs(self) -> dict[str, Any]:
        """Returns what an evaluation depends on beside the bundle."""
        return {"test": self.split_digest("test")}

    def split_digest(self, split: str) -> str:
        """Returns a digest of a split's content.

        Args:
            split: "train", "valid" or "test".
        """
        names = ("source_language", "target_language", "labels")
        about = [getattr(self.corpus, name, None) for name in names]
        return digest([about, split_content(self.corpus.splits[split])])

    def _content(self, path):
        if not Path(path).exists():
            return path
        return run_digest(path) if is_run(path) else content_digest(path)

    @abc.abstractmethod
    def begin(self, folder: Path, log: Log) -> Any:
        """Finds or makes the tokenizers, and returns the model to begin with, or None.

        Args:
            folder: For temporary files.
            log: Called with a line about what takes long or is worth knowing.
        """

    @abc.abstractmethod
    def save_tokenizers(self, folder: Path) -> None:
        """Writes the tokenizers into a run's folder."""

    @abc.abstractmethod
    def load_tokenizers(self, folder: Path) -> Any:
        """Returns the tokenizers of a run's folder, or None where there are none."""

    @abc.abstractmethod
    def surgery(self, model: Any) -> SurgeryContext:
        """Returns a model with what its surgery needs."""

    @abc.abstractmethod
    def model_config(self, start: Any) -> Any:
        """Returns the configuration of the model to train.

        Args:
            start: That of the model to begin with, or None.
        """

    @abc.abstractmethod
    def load_teacher(self) -> Any:
        """Returns the model to distill."""

    def check_teacher(self, config: Any) -> None:
        """Makes sure that a model can learn from the teacher.

        Args:
            config: The model's configuration.

        Raises:
            InputError: If it cannot.
        """
        self.load_teacher()

    @abc.abstractmethod
    def training_data(self, config: Any, workspace: Workspace, log: Log) -> tuple[Any, Any]:
        """Returns training and validation examples.

        Args:
            config: The model's configuration.
            workspace: The run.
            log: Called with a line about what takes long.
        """

    def cached(
        self,
        cache: Callable[..., Any],
        columns: Sequence[Sequence[Any]],
        workspace: Workspace,
        log: Log,
        **settings: Any,
    ) -> Any:
        """Returns training examples from the run's cache, tokenized if need be, and mixed.

        Args:
            cache: Tokenizes into a folder, or opens what is there, as `cache_pairs` does.
            columns: The columns of the training split.
            workspace: The run.
            log: Called with a line about what takes long.
            **settings: Others of `cache`.
        """
        total = len(columns[0])
        log(f"tokenizing {total:,} {self.examples}")
        index = workspace.folder / CORPUS_INDEX
        self.corpus.save_index(index)
        # On this machine tokenizers have threads of their own.
        with (
            Engine(cluster=self.recipe.cluster) as engine,
            Progress(total, self.examples, log=log) as progress,
        ):
            examples = cache(
                index.parent, *columns, progress=progress.set, engine=engine, **settings
            )
        weights = self.recipe.corpus.weights
        return examples if weights is None else self.mixture(examples.groups(), weights)

    @abc.abstractmethod
    def train(self, *arguments: Any, **settings: Any) -> tuple[Any, list[dict]]:
        """Trains, as `tfcompress.training.train` does."""

    @abc.abstractmethod
    def tokenizer_options(self) -> Mapping[str, Any]:
        """Returns the tokenizers by their names in `ExportOptions`."""

    @abc.abstractmethod
    def evaluate(self, bundle: Path, progress: bool) -> dict[str, Any]:
        """Returns the quality of a bundle on the test split.

        Args:
            bundle: Its folder.
            progress: Whether to show a progress bar.
        """

    @abc.abstractmethod
    def results(self, evaluation: Mapping[str, Any]) -> Sequence[Any]:
        """Returns the result of each test example of an evaluation."""

    @abc.abstractmethod
    def scores(self, evaluation: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the scores of an evaluation, by attribute of `tfcompress.reporting.Row`."""

    def shown(self) -> int:
        """Returns how many examples the report shows."""
        return 8

    def shown_text(self, result: Any) -> str:
        """Returns a result, or a reference, as the report shows it."""
        return result

    def corpus_path(self, path: str | Path | None) -> str | Path:
        """Returns where the corpus lies.

        Args:
            path: As `load_corpus` takes it.

        Raises:
            InputError: If nothing says it.
        """
        path = path or self.recipe.corpus.path
        if path is None:
            raise InputError(
                "The recipe needs a corpus. Received: none. Give --corpus, or set `corpus.path`."
            )
        return path
