"""Recipes: everything that a run depends on, in one YAML file."""

import abc
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, is_dataclass
from typing import Any, ClassVar

from tfcompress.errors import InputError
from tfcompress.export.options import ExportOptions, read_options, settings
from tfcompress.export.quantization.schemes import QUANTIZATIONS, STATIC, check_scheme
from tfcompress.pipeline.surgery_recipe import SurgeryRecipe
from tfcompress.search_options import MAX_BEAM_SIZE, MAX_THREADS
from tfcompress.training.config import TrainingConfig

# What the runtimes allow, by the names of settings.
_MAXIMA = {"beam_size": MAX_BEAM_SIZE, "threads": MAX_THREADS}
_LARGEST = 2**31 - 1
# Options of exports that a run sets itself.
_SET_BY_RUNS = ("quantization", "quantization_scheme", "representative_data", "tokenizer", "force")


@dataclass(frozen=True)
class BenchmarkRecipe:
    """How bundles are timed.

    Attributes:
        threads: Threads of the runtime.
        runs: Repetitions; latencies are over all of them.
    """

    threads: int = 1
    runs: int = 3


@dataclass(frozen=True)
class Recipe(abc.ABC):
    """A run from data to measured bundles; its kind of model says what else there is to set.

    Attributes:
        name: What reports call the system.
        model: The model's configuration, a mapping. Where the run begins with a trained model, what
            changes in that.
        start_from: The folder of a finished run whose model and tokenizer this one begins with.
        surgery: Operations on the model before and after training.
        training: The training; `updates` 0 for none.
        quantizations: The bundles to export. What activations occur, which "static_int8" and
            "static_int8x16" need to know, is seen on the first 200 training examples.
        quantization_scheme: What weights are stored as in the bundle "mixed", by regular
            expressions over their names, as for `tfcompress.export.convert`.
        export: Further options of all bundles, by their names in `tfcompress.export.ExportOptions`,
            with files as on the command line of `tfcompress export`.
        model_type: The kind of model, such as "translation".
        workers: Processes that a teacher translates in.
        cluster: The address of a Dask scheduler whose workers do it instead, and tokenize, such as
            "tcp://host:8786".
    """

    name: str
    _: KW_ONLY
    model: dict[str, Any] = field(default_factory=dict)
    start_from: str | None = None
    surgery: SurgeryRecipe = field(default_factory=SurgeryRecipe)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    quantizations: list[str] = field(default_factory=lambda: ["float32", "dynamic_int8"])
    quantization_scheme: dict[str, str] | None = None
    export: dict[str, Any] = field(default_factory=dict)
    model_type: str = ""
    workers: int = 1
    cluster: str | None = None

    # The keys that name a trained model to begin with.
    starts: ClassVar[tuple[str, ...]] = ("start_from",)
    # The keys that name files or folders.
    paths: ClassVar[tuple[str, ...]] = ("start_from", "teacher.path", "corpus.path")
    # What training may choose weights by.
    metrics: ClassVar[tuple[str, ...]] = ()
    # The least values of whole numbers that may be below 1, such as "corpus.seed".
    minima: ClassVar[Mapping[str, int]] = {}

    def __post_init__(self):
        problems = [*self._own_problems(), *self._problems()]
        if problems:
            raise InputError(f"The recipe cannot be run. Received: {'; '.join(problems)}.")

    @abc.abstractmethod
    def runs(self) -> dict[str, str | None]:
        """Returns the folders of finished runs that the recipe needs, by key; None for none."""

    @property
    def has_start(self) -> bool:
        """Whether the run begins with a trained model."""
        return any(getattr(self, name) is not None for name in self.starts)

    @abc.abstractmethod
    def _own_problems(self) -> Iterator[str]:
        """Yields what is impossible about the settings of this kind of model."""

    def export_options(
        self, quantization: str, *, representative_data: Sequence[str] = (), **others: Any
    ) -> ExportOptions:
        """Returns the options of a bundle.

        Args:
            quantization: One of `quantizations`.
            representative_data: Typical texts, in case that the quantization needs them.
            **others: Options that the run gives to all bundles.

        Raises:
            InputError: If they are impossible.
        """
        return dataclasses.replace(
            self._options,
            quantization=quantization,
            quantization_scheme=self.quantization_scheme if quantization == "mixed" else None,
            representative_data=representative_data if quantization in STATIC else None,
            **others,
        )

    @functools.cached_property
    def _options(self):
        return read_options(self.export)

    def _problems(self):
        expected = type(self).model_type
        if self.model_type != expected:
            yield (
                f"`model_type` of a {type(self).__name__} must be {expected} (received "
                f"{self.model_type!r})"
            )
        if not self.has_start:
            starts = " or ".join(f"`{name}`" for name in self.starts)
            if not self.model:
                yield f"`model` must describe a model unless {starts} names one (received neither)"
            if self.surgery.before:
                yield f"`surgery.before` needs a trained model; name one under {starts}"
            if not self.training.updates:
                yield f"`training.updates` 0 needs a trained model; name one under {starts}"
        metric = self.training.metric
        if metric is not None and metric not in self.metrics:
            yield (
                f"`training.metric` must be one of {', '.join(self.metrics)} (received {metric!r})"
            )
        if not self.name.strip():
            yield f"`name` must not be blank (received {self.name!r})"
        yield from self._bundle_problems()
        yield from self._count_problems()

    def _bundle_problems(self):
        if not self.quantizations:
            yield "`quantizations` must name at least one bundle to export (received none)"
        for value in self.quantizations:
            if value not in QUANTIZATIONS:
                yield f"`quantizations` may hold {', '.join(QUANTIZATIONS)} (received {value!r})"
        if self.quantization_scheme is not None:
            check_scheme(self.quantization_scheme)
        if (self.quantization_scheme is not None) != ("mixed" in self.quantizations):
            yield (
                "`quantization_scheme` goes with the bundle mixed in `quantizations` (received "
                f"only {'mixed' if self.quantization_scheme is None else 'a scheme'})"
            )
        if len(set(self.quantizations)) < len(self.quantizations):
            yield f"`quantizations` must not repeat (received {self.quantizations})"
        allowed = [name for name in settings(self.model_type) if name not in _SET_BY_RUNS]
        for name in self.export:
            if name not in allowed:
                yield f"`export` may hold {', '.join(allowed)} (received {name!r})"

    def _count_problems(self):
        """Yields which whole numbers are too small or too large."""
        for part in fields(self):
            settings = getattr(self, part.name)
            if not is_dataclass(settings) or isinstance(settings, TrainingConfig):
                continue
            for attribute in fields(settings):
                name, value = f"{part.name}.{attribute.name}", getattr(settings, attribute.name)
                if attribute.type is not int:
                    continue
                least = self.minima.get(name, 1)
                most = _MAXIMA.get(attribute.name, _LARGEST)
                if value < least:
                    yield f"`{name}` must be at least {least} (received {value})"
                if value > most:
                    yield f"`{name}` must be at most {most} (received {value})"


def replaced(
    mapping: Mapping[str, Any], keys: Sequence[str], change: Callable[[str], Any]
) -> dict[str, Any]:
    """Returns a mapping with the texts under some keys, and in lists there, changed.

    Args:
        mapping: Mappings may be nested in it.
        keys: Such as "teacher.path"; those that there are not are passed over.
        change: Gives the new value of a text.

    Example:

    >>> replaced({"teacher": {"path": "a"}}, ["teacher.path", "start_from"], str.upper)
    {'teacher': {'path': 'A'}}
    """
    result = dict(mapping)
    for key in keys:
        first, _, rest = key.partition(".")
        value = result.get(first)
        if rest and isinstance(value, Mapping):
            result[first] = replaced(value, [rest], change)
        elif not rest and isinstance(value, str):
            result[first] = change(value)
        elif not rest and isinstance(value, list):
            result[first] = [change(one) if isinstance(one, str) else one for one in value]
    return result


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a mapping with changes: mappings within merge, anything else is replaced."""
    result = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if nested else value
    return result


def weight_problems(corpus: Any) -> Iterator[str]:
    """Yields what is wrong with the weights of a corpus' training files.

    Args:
        corpus: The part of a recipe that names the files.
    """
    weights, names = corpus.weights, corpus.train
    if weights is None:
        return
    if isinstance(names, str) or len(weights) != len(names):
        yield (
            "`corpus.weights` must be as many as the names in `corpus.train` (received "
            f"{[*weights]} and {names!r})"
        )
    if not all(0 < weight < math.inf for weight in weights):
        yield f"`corpus.weights` must be positive (received {[*weights]})"
