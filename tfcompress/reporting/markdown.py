"""The report as a markdown page that also reads well unrendered."""

import re
from collections.abc import Iterable, Sequence

from tfcompress.reporting import formats
from tfcompress.reporting.comparison import Group, group_runs
from tfcompress.reporting.examples import merge_examples
from tfcompress.reporting.provenance import facts
from tfcompress.reporting.results import Example, RunResults
from tfcompress.reporting.summary import summary
from tfcompress.reporting.table import column_notes, conditions, make_table, signature_notes

_SPECIAL = re.compile(r"[\\`*<>|~$]|\](?=[(\[:])|&(?=[#\w])|(?<![^\W_])_|_(?![^\W_])")


def markdown_report(runs: Sequence[RunResults], *, max_examples: int = 10) -> str:
    """Writes the report of runs as markdown (GitHub's flavour).

    Args:
        runs: The runs; those on one corpus share a table, whose first float32 row is the baseline.
        max_examples: The largest number of example translations.

    Returns:
        The page.

    Raises:
        InputError: If there are no runs.

    Example:

    >>> page = markdown_report([tfc.reporting.load_results("runs/quickstart")])
    """
    groups = group_runs(runs)
    names = ", ".join(dict.fromkeys(_escape(run.name) for run in runs))
    blocks = [f"# Results: {names}"]
    for group in groups:
        if len(groups) > 1:
            blocks.append(f"## {_escape(group.corpus)}")
        blocks += _group_blocks(group)
    blocks.append("## How this was measured")
    blocks += ["\n".join(_fact_lines(pairs)) for pairs in facts(runs)]
    explained = "; ".join(f"{title}: {text}" for title, text in column_notes(groups))
    blocks += [f"Columns: {_escape(explained)}."] if explained else []
    examples = merge_examples(runs, max_examples)
    if examples:
        blocks.append("## Examples")
        blocks += [_example_block(number, example) for number, example in enumerate(examples, 1)]
    return "\n\n".join(blocks) + "\n"


def _group_blocks(group: Group) -> list[str]:
    table = make_table(group)
    blocks = [_escape(summary(group))]
    if not group.entries:
        return blocks
    blocks.append(
        _table(
            [column.title for column in table.columns],
            [[_escape(cell or "-") for cell in row] for row in table.rows],
            [column.is_number for column in table.columns],
        )
    )
    measured = conditions(group)
    lines = [f"- measured with: {_escape(measured)}"] if measured else []
    lines += [f"- BLEU signature: {_code(note)}" for note in signature_notes(group)]
    return [*blocks, "\n".join(lines)] if lines else blocks


def _fact_lines(pairs: Iterable[tuple[str, str]]) -> Iterable[str]:
    for name, text in pairs:
        yield f"- {name.lower()}: {_code(text) if name == 'Command' else _escape(text)}"


def _example_block(number: int, example: Example) -> str:
    rows = [("reference", example.reference), *example.translations.items()]
    cells = [[_escape(formats.clean(text)) for text in row] for row in rows]
    header = ["source", _escape(formats.clean(example.source))]
    return f"Sentence {number}:\n\n{_table(header, cells, [False, False])}"


def _table(header: list[str], rows: list[list[str]], is_number: list[bool]) -> str:
    cells = [header, *rows]
    widths = [max(3, *map(formats.width, column)) for column in zip(*cells)]
    rule = [
        "-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, is_number)
    ]
    lines = [
        [formats.pad(cell, width, right) for cell, width, right in zip(row, widths, is_number)]
        for row in cells
    ]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", formats.clean(text))


def _code(text: str) -> str:
    """Returns text as a code span, fenced by more backticks than it has in a row."""
    text = formats.clean(text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"
