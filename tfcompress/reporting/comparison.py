"""Which systems may be compared, what with, and what they are called there."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from tfcompress.errors import InputError
from tfcompress.reporting import formats
from tfcompress.reporting.results import Row, RunResults


@dataclass(frozen=True)
class Entry:
    """A row among those that it is compared with.

    Attributes:
        row: The row.
        run: The name of its run.
        label: What tells it from the other rows of its group.
        short_label: What tells it from the other rows of its group that are quantized alike.
        baseline: The group's baseline.
    """

    row: Row
    run: str
    label: str
    short_label: str
    baseline: Row | None

    @property
    def times_smaller(self) -> float | None:
        """The baseline's model bytes, divided by those of this row."""
        if self.baseline is None or not (self.baseline.model_bytes and self.row.model_bytes):
            return None
        return self.baseline.model_bytes / self.row.model_bytes

    @property
    def score_change(self) -> float | None:
        """The score less the baseline's, if both were measured alike; otherwise None."""
        if self.baseline is None:
            return None
        own, other = self.row.score, self.baseline.score
        if own is None or other is None or own.name != other.name:
            return None
        alike = (self.row.signature, self.row.sentences) == (
            self.baseline.signature,
            self.baseline.sentences,
        )
        return own.value - other.value if alike else None

    @property
    def score_loss(self) -> float | None:
        """How much worse the score is than the baseline's, or None."""
        change, score = self.score_change, self.row.score
        if change is None or score is None:
            return None
        return change if score.lower_is_better else -change


@dataclass(frozen=True)
class Group:
    """The rows measured on one corpus.

    Attributes:
        corpus: The corpus.
        entries: Its rows, run after run.
    """

    corpus: str
    entries: list[Entry]

    @property
    def baseline(self) -> Entry | None:
        """The first row in float32, which the others are compared with."""
        return next((entry for entry in self.entries if entry.row is entry.baseline), None)

    @property
    def score_name(self) -> str:
        """What the rows are scored by."""
        names = (entry.row.score.name for entry in self.entries if entry.row.score is not None)
        return next(names, "BLEU")

    @property
    def signatures(self) -> list[str]:
        """The different BLEU signatures, in order of appearance."""
        return self.distinct("signature")

    def distinct(self, name: str) -> list:
        """Returns the different values of a row's field but None, in order of appearance."""
        values = (getattr(entry.row, name) for entry in self.entries)
        return list(dict.fromkeys(value for value in values if value is not None))

    def varies(self, name: str) -> bool:
        """Tells whether the rows that were measured differ in a field."""
        return len(self.distinct(name)) > 1


def group_runs(runs: Sequence[RunResults]) -> list[Group]:
    """Groups the rows of runs by corpus: scores mean something within one corpus only.

    Args:
        runs: The runs.

    Returns:
        A group for each corpus, in order of appearance.

    Raises:
        InputError: If there are no runs.

    Example:

    >>> group_runs([tfc.reporting.load_results("runs/quickstart")])[0].baseline.label
    'teacher'
    """
    if not runs:
        raise InputError(
            "There must be runs to report. Received: none. Give at least one run's folder."
        )
    by_corpus: dict[str, list[RunResults]] = {}
    for run in runs:
        by_corpus.setdefault(run.corpus, []).append(run)
    return [_group(corpus, members) for corpus, members in by_corpus.items()]


def _group(corpus: str, runs: list[RunResults]) -> Group:
    rows = [(run.name, row) for run in runs for row in run.rows]
    baseline = next((row for _, row in rows if row.quantization == "float32"), None)
    quantizations = [row.quantization for _, row in rows]
    labels, short_labels = _labels(rows, [None] * len(rows)), _labels(rows, quantizations)
    entries = [
        Entry(row, run, label, short_label, baseline)
        for (run, row), label, short_label in zip(rows, labels, short_labels)
    ]
    return Group(corpus, entries)


def _labels(rows: list[tuple[str, Row]], quantizations: list[str | None]) -> list[str]:
    """Names each row by its system and what tells it from others that are quantized alike."""
    names = [formats.clean(row.system) for _, row in rows]
    details: list[tuple[str, ...]] = [()] * len(rows)
    distinctions = [
        [row.quantization for _, row in rows],
        [row.beam_size and f"beam {row.beam_size}" for _, row in rows],
        [row.threads and formats.counted(row.threads, "thread") for _, row in rows],
        [row.device for _, row in rows],
        [run for run, _ in rows],
    ]
    for parts in distinctions:
        for indices in _alike(zip(names, details, quantizations)):
            if len({parts[index] for index in indices}) > 1:
                for index in indices:
                    details[index] += (formats.clean(parts[index]),) if parts[index] else ()
    for indices in _alike(zip(names, details, quantizations)):
        if len(indices) > 1:
            for number, index in enumerate(indices, 1):
                details[index] += (f"no. {number}",)
    return [
        f"{name} ({', '.join(detail)})" if detail else name for name, detail in zip(names, details)
    ]


def _alike(items: Iterable[Hashable]) -> list[list[int]]:
    """Groups the indices of equal items."""
    indices: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        indices.setdefault(item, []).append(index)
    return list(indices.values())
