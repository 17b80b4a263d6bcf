"""The table of metrics, as text cells that every report lays out in its own way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tfcompress.reporting import formats
from tfcompress.reporting.comparison import Entry, Group


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: What it is called in code.
        title: Its heading.
        explanation: What its metrics are.
        cell: Returns an entry's text, or None for what was not measured.
        is_number: Whether it is aligned to the right.
        shown: Tells whether a group needs the column though it has metrics for it.
    """

    name: str
    title: str
    explanation: str
    cell: Callable[[Entry], str | None]
    is_number: bool = True
    shown: Callable[[Group], bool] = lambda group: True


@dataclass(frozen=True)
class Table:
    """Columns and, for every entry of a group, a cell for each of them.

    Attributes:
        columns: The columns.
        rows: The cells, None for what was not measured.
    """

    columns: list[Column]
    rows: list[list[str | None]]


def make_table(group: Group, *, without: tuple[str, ...] = ()) -> Table:
    """Lays out a group's metrics, leaving out columns without any.

    Args:
        group: The group.
        without: Names of columns to leave out besides.

    Returns:
        The table.
    """
    columns = [column for column in _columns(group) if column.name not in without]
    columns = [
        column
        for column in columns
        if column.shown(group) and any(column.cell(entry) is not None for entry in group.entries)
    ]
    return Table(columns, [[column.cell(entry) for column in columns] for entry in group.entries])


def conditions(group: Group) -> str:
    """Names the conditions that all measured rows of a group share, such as the beam size.

    Returns:
        A phrase without a full stop, or an empty one.
    """
    phrases = {
        "sentences": lambda value: formats.counted(value, "sentence"),
        "beam_size": lambda value: f"beam size {value}",
        "device": lambda value: f"device {formats.clean(value)}",
        "threads": lambda value: formats.counted(value, "thread"),
    }
    shared = ((name, group.distinct(name)) for name in phrases)
    return ", ".join(phrases[name](values[0]) for name, values in shared if len(values) == 1)


def signature_notes(group: Group) -> list[str]:
    """Returns the group's BLEU signatures, numbered as in the table if there are several."""
    signatures = [formats.clean(signature) for signature in group.signatures]
    if len(signatures) < 2:
        return signatures
    return [f"[{number}] {signature}" for number, signature in enumerate(signatures, 1)]


def column_notes(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Returns the headings of the groups' columns of metrics, and what the metrics are."""
    columns = (column for group in groups for column in make_table(group).columns)
    return list({c.title: (c.title, c.explanation) for c in columns if c.is_number}.values())


def _columns(group: Group) -> list[Column]:
    signatures = group.signatures
    return [
        Column(
            "run",
            "run",
            "the run that measured it",
            lambda entry: formats.clean(entry.run),
            is_number=False,
            shown=_needs_runs,
        ),
        Column(
            "system",
            "system",
            "the system's name",
            lambda entry: formats.clean(entry.row.system),
            is_number=False,
        ),
        Column(
            "quantization",
            "quantization",
            "how the weights are stored",
            _text("quantization", formats.clean),
            is_number=False,
        ),
        Column("parameters", "params", "number of parameters", _text("parameters", formats.count)),
        Column("model_bytes", "model", "size of the model file", _bytes("model_bytes")),
        Column("bundle_bytes", "bundle", "size of all files needed", _bytes("bundle_bytes")),
        Column(
            "times_smaller",
            "smaller",
            "size of the first float32 model file divided by this one's",
            lambda entry: _some(entry.times_smaller, formats.ratio),
        ),
        Column("bleu", "BLEU [95%]", "BLEU with its 95% bootstrap interval", _score("BLEU")),
        Column(
            "accuracy",
            "accuracy [95%]",
            "percentage of right classes with its 95% interval (Wilson's)",
            _score("accuracy"),
        ),
        Column(
            "perplexity",
            "perplexity [95%]",
            "perplexity a token with its 95% bootstrap interval; the lower, the better",
            _score("perplexity"),
        ),
        Column("f1", "F1", "F1 of class 1, or the classes' mean", _text("f1", formats.score)),
        Column(
            "score_change",
            "change",
            f"{group.score_name} less that of the first float32 system",
            lambda entry: _some(entry.score_change, formats.signed),
        ),
        Column(
            "latency_ms",
            "ms/sent.",
            "mean milliseconds a sentence, one by one",
            _text("latency_ms", formats.decimal),
        ),
        Column(
            "target_tokens_per_s",
            "tokens/s",
            "target tokens a second",
            _text("target_tokens_per_s", lambda value: formats.decimal(value, 0)),
        ),
        Column("peak_rss_bytes", "memory", "peak resident memory", _bytes("peak_rss_bytes")),
        _condition("beam_size", "beam", "beam size", str),
        _condition("device", "device", "where it ran", formats.clean),
        _condition("threads", "threads", "number of threads", str),
        _condition("sentences", "sentences", "sentences measured", lambda value: f"{value:,}"),
        _condition(
            "signature",
            "signature",
            "number of the BLEU signature below",
            lambda value: f"[{signatures.index(value) + 1}]",
        ),
    ]


def _needs_runs(group: Group) -> bool:
    several = len({entry.run for entry in group.entries}) > 1
    return several and any(entry.run != entry.row.system for entry in group.entries)


def _condition(name, title, explanation, write) -> Column:
    """A column that is needed where the rows differ in it."""
    return Column(
        name, title, explanation, _text(name, write), shown=lambda group: group.varies(name)
    )


def _text(name: str, write: Callable[..., str]) -> Callable[[Entry], str | None]:
    return lambda entry: _some(getattr(entry.row, name), write)


def _bytes(name: str) -> Callable[[Entry], str | None]:
    return _text(name, formats.byte_size)


def _score(name: str) -> Callable[[Entry], str | None]:
    def cell(entry):
        score = entry.row.score
        if score is None or score.name != name:
            return None
        return formats.score(score.value, score.low, score.high)

    return cell


def _some(value, write: Callable[..., str]) -> str | None:
    return None if value is None else write(value)
