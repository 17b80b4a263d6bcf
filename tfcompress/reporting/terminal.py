"""The table in plain characters, for a terminal."""

from collections.abc import Sequence

from tfcompress.reporting import formats
from tfcompress.reporting.comparison import Group, group_runs
from tfcompress.reporting.results import RunResults
from tfcompress.reporting.summary import summary
from tfcompress.reporting.table import conditions, make_table, signature_notes

_LEFT_OUT = ("bundle_bytes",)


def terminal_table(runs: Sequence[RunResults]) -> str:
    """Writes the metrics of runs as a compact plain table.

    Args:
        runs: The runs; those on one corpus share a table.

    Returns:
        Lines of text; an empty one stands between two tables.

    Raises:
        InputError: If there are no runs.

    Example:

    >>> table = terminal_table([tfc.reporting.load_results("runs/quickstart")])
    """
    return "\n\n".join("\n".join(_lines(group)) for group in group_runs(runs))


def _lines(group: Group) -> list[str]:
    table = make_table(group, without=_LEFT_OUT)
    cells = [[column.title for column in table.columns]]
    cells += [[cell or "-" for cell in row] for row in table.rows]
    widths = [max(map(formats.width, column)) for column in zip(*cells)]
    lines = [
        "  ".join(
            formats.pad(cell, width, column.is_number)
            for cell, width, column in zip(row, widths, table.columns)
        ).rstrip()
        for row in cells
    ]
    if len(lines) > 1:
        lines.insert(1, "-" * max(map(formats.width, lines)))
    notes = [formats.clean(group.corpus), conditions(group)]
    lines.append(", ".join(note for note in notes if note))
    lines += [f"BLEU {note}" for note in signature_notes(group)]
    lines.append(summary(group))
    return [line for line in lines if line]
