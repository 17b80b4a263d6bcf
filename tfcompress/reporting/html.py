"""The report as one HTML page that needs nothing else."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from tfcompress.reporting import formats, palette
from tfcompress.reporting.comparison import Entry, Group, group_runs
from tfcompress.reporting.examples import merge_examples
from tfcompress.reporting.provenance import facts
from tfcompress.reporting.results import RunResults
from tfcompress.reporting.summary import best_entry, summary
from tfcompress.reporting.table import column_notes, conditions, make_table, signature_notes


def html_report(runs: Sequence[RunResults], *, max_examples: int = 10) -> str:
    """Writes the report of runs as one HTML page, without scripts or anything to load.

    Args:
        runs: The runs; those on one corpus share a table and charts, and their first float32 row
            is the baseline.
        max_examples: The largest number of example translations.

    Returns:
        The page.

    Raises:
        InputError: If there are no runs.

    Example:

    >>> page = html_report([tfc.reporting.load_results("runs/quickstart")])
    """
    groups = group_runs(runs)
    names = ", ".join(dict.fromkeys(formats.clean(run.name) for run in runs))
    return _template().render(
        title=f"Results: {names}",
        light=palette.LIGHT,
        dark=palette.DARK,
        groups=[_group(group, f"group{number}") for number, group in enumerate(groups)],
        history=[*_history_charts(runs)],
        examples=merge_examples(runs, max_examples),
        facts=facts(runs),
        columns=column_notes(groups),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tfcompress.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: formats.printable(value) if type(value) is str else value,
    )
    return environment.get_template("report.html")


def _group(group: Group, identifier: str) -> dict[str, Any]:
    best = best_entry(group)
    return {
        "corpus": formats.clean(group.corpus),
        "conditions": conditions(group),
        "summary": summary(group),
        "table": make_table(group),
        "best": group.entries.index(best) if best and len(group.entries) > 1 else None,
        "signatures": signature_notes(group),
        "charts": [*_group_charts(group, identifier)],
    }


def _group_charts(group: Group, identifier: str) -> Iterator[dict[str, Any]]:
    # matplotlib takes long to load.
    from tfcompress.reporting import charts

    entries = group.entries
    lacking = _lacking(entries, "model_bytes", "score")
    yield from _figure(charts.size_chart(entries), f"{identifier}-size", notes=lacking)
    for number, (where, members) in enumerate(_by_place(group).items()):
        chart, lacking = (
            charts.latency_chart(members, where),
            _lacking(members, "latency_ms", "score"),
        )
        yield from _figure(chart, f"{identifier}-latency{number}", notes=lacking)
    lacking = _lacking(entries, "model_bytes")
    yield from _figure(charts.bytes_chart(entries), f"{identifier}-bytes", notes=lacking)


def _history_charts(runs: Sequence[RunResults]) -> Iterator[dict[str, Any]]:
    from tfcompress.reporting import charts

    for number, run in enumerate(runs):
        name = f", {formats.clean(run.name)}" if len(runs) > 1 else ""
        for title, chart in charts.history_charts(run.history).items():
            yield from _figure(chart, f"run{number}-{title.lower()}", title=f"{title}{name}")


def _figure(chart, identifier: str, *, title=None, notes=()) -> Iterator[dict[str, Any]]:
    """Draws a chart for narrow and for wide screens; nothing if there is no chart."""
    from tfcompress.reporting.charts.chart import NARROW

    if chart is not None:
        yield {
            "title": title or chart.title,
            "notes": [*chart.notes, *notes],
            "is_wide": chart.width > 600,
            "width": chart.width,
            "wide": Markup(chart.svg(identifier)),
            "narrow": Markup(chart.svg(f"{identifier}-narrow", NARROW)),
        }


def _by_place(group: Group) -> dict[str, list[Entry]]:
    """Splits the entries by device and threads: latencies compare only where these are equal."""
    places: dict[str, list[Entry]] = {}
    for entry in group.entries:
        row, parts = entry.row, []
        if row.device is not None and group.varies("device"):
            parts.append(f"on {formats.clean(row.device)}")
        if row.threads is not None and group.varies("threads"):
            parts.append(formats.counted(row.threads, "thread"))
        places.setdefault(", ".join(parts), []).append(entry)
    return places


def _lacking(entries: Sequence[Entry], *names: str) -> list[str]:
    lacking = [
        entry.label for entry in entries if any(getattr(entry.row, name) is None for name in names)
    ]
    return [f"Not measured: {', '.join(lacking)}."] if lacking else []
