"""What a run measured: the content of its `results.json`."""

import dataclasses
import datetime
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tfcompress import schema
from tfcompress.errors import InputError
from tfcompress.files import read_json, replace_file

FILE_NAME = "results.json"
_SMALLEST, _LARGEST = 1e-9, 1e18


@dataclass(frozen=True)
class Score:
    """How good a system is.

    Attributes:
        name: What is measured: "BLEU", "accuracy" or "perplexity".
        value: The metric; BLEU and accuracy up to 100.
        low: Lower end of its 95% interval, or None.
        high: Upper end of its 95% interval, or None.
        lower_is_better: Whether a lower metric is a better one.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    lower_is_better: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system's metrics; None stands for what was not measured.

    Attributes:
        system: The system's name.
        quantization: How its weights are stored, as in `tfcompress.export.convert`, for example
            "float32" or "dynamic_int8".
        parameters: Number of parameters.
        model_bytes: Size of the model file.
        bundle_bytes: Size of all files that it takes to translate, the model file included.
        bleu: BLEU on the run's test set.
        bleu_low: Lower end of its 95% interval.
        bleu_high: Upper end of its 95% interval.
        signature: sacrebleu's signature of the BLEU.
        accuracy: Percentage of the test set's texts whose class was found.
        accuracy_low: Lower end of its 95% interval.
        accuracy_high: Upper end of its 95% interval.
        perplexity: Perplexity a token of a language model on the run's test set.
        perplexity_low: Lower end of its 95% interval.
        perplexity_high: Upper end of its 95% interval.
        f1: F1 of class 1 in percent, or the mean of all classes' where there are not two.
        sentences: Number of sentences measured.
        beam_size: Beam size; 1 is greedy search.
        latency_ms: Mean time a sentence, sentences translated one by one, in milliseconds.
        target_tokens_per_s: Tokens translated into, a second.
        peak_rss_bytes: Largest resident memory of the translating process.
        device: Where it ran.
        threads: Number of threads it ran on.

    Raises:
        InputError: If a metric is impossible.

    Example:

    >>> row = Row(system="teacher", quantization="float32", model_bytes=140_211_408, bleu=38.31)
    """

    system: str
    quantization: str | None = None
    parameters: int | None = None
    model_bytes: int | None = None
    bundle_bytes: int | None = None
    bleu: float | None = None
    bleu_low: float | None = None
    bleu_high: float | None = None
    signature: str | None = None
    accuracy: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    perplexity: float | None = None
    perplexity_low: float | None = None
    perplexity_high: float | None = None
    f1: float | None = None
    sentences: int | None = None
    beam_size: int | None = None
    latency_ms: float | None = None
    target_tokens_per_s: float | None = None
    peak_rss_bytes: int | None = None
    device: str | None = None
    threads: int | None = None

    def __post_init__(self):
        problems = list(_row_problems(self))
        if problems:
            raise InputError(f"Metrics of system {self.system!r}: {'; '.join(problems)}")

    @property
    def score(self) -> Score | None:
        """BLEU, or else accuracy or perplexity; None if none of them was measured."""
        if self.bleu is not None:
            return Score("BLEU", self.bleu, self.bleu_low, self.bleu_high)
        if self.accuracy is not None:
            return Score("accuracy", self.accuracy, self.accuracy_low, self.accuracy_high)
        if self.perplexity is not None:
            interval = (self.perplexity_low, self.perplexity_high)
            return Score("perplexity", self.perplexity, *interval, lower_is_better=True)
        return None


@dataclass(frozen=True)
class Example:
    """A test sentence and what the systems made of it.

    Attributes:
        source: The sentence.
        reference: Its right translation.
        translations: The systems' translations by the systems' names.
    """

    source: str
    reference: str
    translations: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class HistoryPoint:
    """The state of a training after one step.

    Figures that are not finite, such as the loss of a training that diverged, become None.

    Attributes:
        step: The number of updates made.
        loss: The training loss since the point before.
        validation_loss: The loss on the validation set.
        validation_bleu: BLEU on the validation set.
        validation_accuracy: Percentage of the validation set whose class was found.
        validation_perplexity: Perplexity on the validation set.

    Raises:
        InputError: If the step is impossible.
    """

    step: int
    loss: float | None = None
    validation_loss: float | None = None
    validation_bleu: float | None = None
    validation_accuracy: float | None = None
    validation_perplexity: float | None = None

    def __post_init__(self):
        if not 0 <= self.step <= _LARGEST:
            raise InputError(f"`step` must be a count of updates. Received: {self.step!r}.")
        for name in [entry.name for entry in dataclasses.fields(self)[1:]]:
            value = getattr(self, name)
            if not isinstance(value, int | float | None):
                raise InputError(f"`{name}` must be a number. Received: {value!r}.")
            # Of a training that diverged.
            if value is not None and not abs(value) <= _LARGEST:
                object.__setattr__(self, name, None)


@dataclass(frozen=True, kw_only=True)
class RunResults:
    """A run: what was measured, on what, with what and how.

    Attributes:
        name: The run's name.
        created: Date and time in ISO 8601 of the measurement of speed, like what follows.
        command: The command that measured.
        machine: The machine, as `describe_machine` tells.
        versions: Versions by package, as `versions` tells.
        load: How busy the machine was before and after the bundles were timed, in words.
        corpus: Name of the test set. BLEU is compared only within one corpus, so two different
            sets need different names.
        rows: The systems, the reference system first.
        examples: Some translations.
        history: The training, in order.

    Raises:
        InputError: If `created` is no date.
    """

    name: str
    created: str
    command: str
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    corpus: str
    rows: list[Row]
    examples: list[Example] = field(default_factory=list)
    history: list[HistoryPoint] = field(default_factory=list)
    load: str = ""

    def __post_init__(self):
        try:
            datetime.datetime.fromisoformat(self.created)
        except ValueError:
            raise InputError(
                f"`created` must be an ISO 8601 date. Received: {self.created!r}."
            ) from None


def save_results(results: RunResults, path: str | os.PathLike) -> Path:
    """Writes a run's results, completely or not at all.

    Args:
        results: The results.
        path: A run's folder, which gets a file `results.json`, or the file itself; a missing
            folder is made.

    Returns:
        The file.

    Raises:
        InputError: If the file can't be written.

    Example:

    >>> save_results(results, "runs/quickstart")
    PosixPath('runs/quickstart/results.json')
    """
    path = _results_file(path)
    text = json.dumps(schema.to_mapping(results), indent=2, ensure_ascii=False, allow_nan=False)
    replace_file(path, (text + "\n").encode("utf-8", errors="backslashreplace"))
    return path


def load_results(path: str | os.PathLike) -> RunResults:
    """Reads a run's results.

    Args:
        path: A run's folder or its `results.json`.

    Returns:
        The results.

    Raises:
        InputError: If the file is missing, damaged, or not a results file.

    Example:

    >>> load_results("runs/quickstart").rows[0].bleu
    38.31
    """
    path = _results_file(path)
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise InputError(
            f"A run must have been evaluated. Received: {path}, which is no file. Give the folder "
            "of one."
        ) from None
    except InputError as error:
        raise InputError(
            f"The results cannot be read. Received: {str(error).rstrip('.')}. Evaluate the run "
            "again."
        ) from None
    try:
        return schema.from_mapping(RunResults, content)
    except (InputError, OverflowError) as error:
        raise InputError(
            f"A file must hold a run's results. Received: {path} ({str(error).rstrip('.')}). "
            "Evaluate the run again."
        ) from None


def _results_file(path: str | os.PathLike) -> Path:
    path = Path(path)
    return path / FILE_NAME if path.is_dir() or path.suffix != ".json" else path


def _row_problems(row: Row) -> Iterator[str]:
    wrong = schema.type_problems(row)
    yield from wrong
    if wrong:
        return
    if not row.system.strip():
        yield f"`system` must not be blank. Received: {row.system!r}"
    for entry in dataclasses.fields(row):
        value = getattr(row, entry.name)
        if value is None or isinstance(value, str):
            continue
        if entry.name.startswith(("bleu", "accuracy", "f1")):
            if not 0 <= value <= 100 + 1e-6:
                yield f"`{entry.name}` must be between 0 and 100. Received: {value!r}"
        elif entry.name == "target_tokens_per_s" and value == 0:
            continue  # All translations are empty, as an untrained model's may be.
        elif not (math.isfinite(value) and _SMALLEST <= value <= _LARGEST):
            yield f"`{entry.name}` must be a positive number. Received: {value!r}"
    for name in ("bleu", "accuracy", "perplexity"):
        low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
        if (low is None) != (high is None):
            yield f"`{name}_low` and `{name}_high` go together. Received: only one"
        elif low is not None and low > high:
            yield f"`{name}_low` must not exceed `{name}_high`. Received: {low} and {high}"
