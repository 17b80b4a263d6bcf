"""The report as one HTML page that needs nothing else."""

from collections.abc import Iterable, Sequence

from tfcompress.reporting import formats
from tfcompress.reporting.bars import bytes_chart
from tfcompress.reporting.comparison import Entry, Group, group_runs
from tfcompress.reporting.curves import history_charts
from tfcompress.reporting.examples import merge_examples
from tfcompress.reporting.markup import Markup, element, join
from tfcompress.reporting.provenance import facts
from tfcompress.reporting.results import Example, RunResults
from tfcompress.reporting.scatter import latency_chart, size_chart
from tfcompress.reporting.style import STYLE
from tfcompress.reporting.summary import best_entry, summary
from tfcompress.reporting.table import column_notes, conditions, make_table, signature_notes

_FEW = 6
_SCATTER_HINT = (
    "Up and to the left is better. Vertical bars are 95% intervals; the dashed line joins the "
    "systems that no other beats in both."
)


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

    >>> Path("report.html").write_text(html_report([load_results("runs/quickstart")]))
    """
    groups = group_runs(runs)
    names = ", ".join(dict.fromkeys(formats.clean(run.name) for run in runs))
    title = f"Results: {names}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element(
        "main",
        element("h1", title),
        *(
            part
            for number, group in enumerate(groups)
            for part in _group_parts(group, number, has_heading=len(groups) > 1)
        ),
        *_history_parts(runs),
        *_example_parts(runs, max_examples),
        element("h2", "How this was measured"),
        *(_facts(pairs) for pairs in facts(runs)),
        _definitions(column_notes(groups)),
    )
    page = element("html", head, element("body", body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _group_parts(group: Group, number: int, *, has_heading: bool) -> list[Markup]:
    corpus = formats.clean(group.corpus)
    about = ", ".join(text for text in (corpus, conditions(group)) if text)
    parts = [element("h2", corpus)] if has_heading else []
    parts.append(element("p", conditions(group) if has_heading else about, class_="about"))
    parts.append(element("p", summary(group), class_="summary"))
    if not group.entries:
        return parts
    parts += [_table(group), _notes(group)]
    charts = _charts(group, f"group{number}")
    if charts:
        class_ = "charts" if len(group.entries) <= _FEW else "charts many"
        parts.append(element("div", *charts, class_=class_))
    return parts


def _table(group: Group) -> Markup:
    table, best = make_table(group), best_entry(group)
    header = [
        element("th", c.title, scope="col", title=c.explanation, class_=_class(c.is_number))
        for c in table.columns
    ]
    rows = [
        element(
            "tr",
            *(_cell(column, text) for column, text in zip(table.columns, cells)),
            class_="best" if entry is best and len(group.entries) > 1 else None,
        )
        for entry, cells in zip(group.entries, table.rows)
    ]
    body = element("table", element("thead", element("tr", *header)), element("tbody", *rows))
    return element("div", body, class_="sheet", role="region", aria_label="Figures", tabindex="0")


def _cell(column, text: str | None) -> Markup:
    if text is None:
        return element("td", "\u2013", class_=f"{_class(column.is_number) or ''} missing".strip())
    if column.name == "system":
        return element("th", text, scope="row")
    return element("td", text, class_=_class(column.is_number))


def _class(is_number: bool) -> str | None:
    return "number" if is_number else None


def _notes(group: Group) -> Markup:
    return join(
        *(
            element("p", "BLEU signature: ", element("code", note), class_="notes")
            for note in signature_notes(group)
        )
    )


def _charts(group: Group, identifier: str) -> list[Markup]:
    entries = group.entries
    charts = [
        _figure(
            "Size against quality",
            size_chart(entries, f"{identifier}-size"),
            _scatter_notes(entries, "model_bytes"),
        )
    ]
    for number, (where, members) in enumerate(_by_place(group).items()):
        charts.append(
            _figure(
                f"Latency against quality{where and f', {where}'}",
                latency_chart(members, f"{identifier}-latency{number}", where),
                _scatter_notes(members, "latency_ms"),
            )
        )
    charts.append(
        _figure(
            "Size of the model files",
            bytes_chart(entries, f"{identifier}-bytes"),
            _lacking(entries, "model_bytes"),
            class_="wide",
        )
    )
    return [chart for chart in charts if chart is not None]


def _scatter_notes(entries: Sequence[Entry], name: str) -> list[str]:
    lacking = _lacking(entries, name, "score")
    return [_SCATTER_HINT, *lacking] if len(entries) > 1 else lacking


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


def _figure(
    title: str, chart: Markup | None, notes: Sequence[str] = (), *, class_: str | None = None
) -> Markup | None:
    if chart is None:
        return None
    caption = element("figcaption", title, *(element("small", note) for note in notes))
    return element("figure", caption, chart, class_=class_)


def _history_parts(runs: Sequence[RunResults]) -> list[Markup]:
    charts = []
    for number, run in enumerate(runs):
        name = f", {formats.clean(run.name)}" if len(runs) > 1 else ""
        for title, chart in history_charts(run.history, f"run{number}").items():
            charts.append(_figure(f"{title}{name}", chart))
    if not charts:
        return []
    return [element("h2", "Training"), element("div", *charts, class_="charts")]


def _example_parts(runs: Sequence[RunResults], most: int) -> list[Markup]:
    examples = merge_examples(runs, most)
    if not examples:
        return []
    return [element("h2", "Examples"), *(_example(example) for example in examples)]


def _example(example: Example) -> Markup:
    pairs = [
        ("source", example.source),
        ("reference", example.reference),
        *example.translations.items(),
    ]
    return _definitions(pairs)


def _facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    return _definitions(
        (name, element("code", text) if name == "Command" else text) for name, text in pairs
    )


def _definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
    items = [part for name, text in pairs for part in (element("dt", name), element("dd", text))]
    return element("div", element("dl", *items), class_="sheet") if items else Markup()
