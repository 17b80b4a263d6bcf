"""Charts of quality against size and against latency."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import textalloc
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tfcompress.reporting import formats
from tfcompress.reporting.charts.axes import (
    add_legend,
    byte_tick,
    linear_limits,
    log_limits,
    number_tick,
    set_x_ticks,
    set_y_ticks,
)
from tfcompress.reporting.charts.chart import Chart, freeze_layout, shorten, tooltip
from tfcompress.reporting.charts.series import color, series_numbers, shape
from tfcompress.reporting.comparison import Entry
from tfcompress.reporting.palette import LIGHT
from tfcompress.reporting.results import Score

FEW = 6
_LABEL_LENGTH = 28
_MARK_SIZE = 9
_WIDE_RANGE = 20


def size_chart(entries: Sequence[Entry]) -> Chart | None:
    """Draws the score against the size of the model file.

    Args:
        entries: The systems; those without one of the two metrics are left out.

    Returns:
        The chart, or None if there is nothing to draw.
    """
    return _scatter(
        entries,
        title="Size against quality",
        axis="size of the model file (log scale)",
        value=lambda entry: entry.row.model_bytes,
        write=formats.byte_size,
        write_tick=byte_tick,
        is_log=True,
    )


def latency_chart(entries: Sequence[Entry], where: str = "") -> Chart | None:
    """Draws the score against latency.

    Args:
        entries: The systems, measured on one device; those without a metric are left out.
        where: The device, for the title.

    Returns:
        The chart, or None if there is nothing to draw.
    """
    latencies = [entry.row.latency_ms for entry in entries if entry.row.latency_ms is not None]
    is_log = bool(latencies) and max(latencies) > _WIDE_RANGE * min(latencies)
    return _scatter(
        entries,
        title=f"Latency against quality{where and f', {where}'}",
        axis=f"milliseconds a sentence{' (log scale)' * is_log}",
        value=lambda entry: entry.row.latency_ms,
        write=lambda value: f"{formats.decimal(value)} ms",
        write_tick=number_tick,
        is_log=is_log,
    )


@dataclass(frozen=True)
class _Point:
    entry: Entry
    score: Score
    x: float
    y: float
    series: int
    text: str


def _scatter(
    entries: Sequence[Entry],
    *,
    title: str,
    axis: str,
    value: Callable[[Entry], float | None],
    write: Callable[[float], str],
    write_tick: Callable[[float], str],
    is_log: bool,
) -> Chart | None:
    shown = [
        (entry, x, score)
        for entry in entries
        if (x := value(entry)) is not None and (score := entry.row.score) is not None
    ]
    if not shown:
        return None
    series = series_numbers(entry.row.quantization for entry, _, _ in shown)
    points = [_point(entry, x, score, write, series) for entry, x, score in shown]
    frontier = _frontier(points)
    upper = "Lower" if points[0].score.lower_is_better else "Upper"

    def draw(figure: Figure, width: int) -> None:
        figure.set_figheight((460 if len(points) > FEW else 340) / 72)
        axes = figure.subplots()
        axes.set_title(points[0].score.name)
        axes.set_xlabel(axis)
        _set_limits(axes, points, is_log)
        set_x_ticks(axes, width, write_tick)
        set_y_ticks(axes)
        axes.plot(*zip(*frontier), color=LIGHT["axis"], linestyle="dashed", gid="frontier")
        for point in points:
            _draw_interval(axes, point)
        handles = {point.series: _draw_mark(axes, point) for point in points}
        names = [formats.clean(name or "") or "unknown" for name in series]
        add_legend(figure, [handles[number] for number in series.values()], names, width)
        freeze_layout(figure)
        _draw_labels(axes, points)

    return Chart(
        title=title,
        description=f"{upper} left is better. {'; '.join(point.text for point in points)}.",
        width=1040 if len(points) > FEW else 520,
        draw=draw,
        notes=_notes(points, frontier),
    )


def _point(entry, x, score, write, series):
    written = formats.score(score.value, score.low, score.high)
    text = f"{entry.label}: {write(x)}, {score.name} {written}"
    return _Point(entry, score, x, score.value, series[entry.row.quantization], text)


def _frontier(points: Sequence[_Point]) -> list[tuple[float, float]]:
    """Returns the points that no other beats in both metrics, from left to right."""
    best: list[tuple[float, float]] = []
    sign = -1 if points[0].score.lower_is_better else 1
    places = {(point.x, point.y) for point in points}
    for x, y in sorted(places, key=lambda place: (place[0], -sign * place[1])):
        if not best or sign * y > sign * best[-1][1]:
            best.append((x, y))
    return best


def _notes(points, frontier) -> tuple[str, ...]:
    if len(points) < 2:
        return ()
    up = "Down" if points[0].score.lower_is_better else "Up"
    parts = [f"{up} and to the left is better."]
    if any(point.score.low is not None for point in points):
        parts.append("Vertical bars are 95% intervals.")
    if len(frontier) > 1:
        parts.append("The dashed line joins the systems that no other beats in both.")
    return (" ".join(parts),)


def _set_limits(axes: Axes, points: Sequence[_Point], is_log: bool) -> None:
    scores = [point.score for point in points]
    ends = [end for score in scores for end in (score.value, score.low, score.high)]
    axes.set_ylim(linear_limits(end for end in ends if end is not None))
    values = [point.x for point in points]
    if is_log:
        axes.set_xscale("log")
        axes.set_xlim(log_limits(values))
    else:
        axes.set_xlim(0, 1.06 * max(values))


def _draw_interval(axes, point):
    low, high = point.score.low, point.score.high
    if low is not None:
        line = {"color": color(point.series), "alpha": 0.55, "linewidth": 1.5}
        axes.plot([point.x] * 2, [low, high], marker="_", gid="interval", **line)


def _draw_mark(axes, point):
    mark = {"marker": shape(point.series), "markersize": _MARK_SIZE, "color": color(point.series)}
    edge = {"markeredgecolor": LIGHT["surface"], "linestyle": "none"}
    (line,) = axes.plot([point.x], [point.y], **mark, **edge, **tooltip(point.text))
    return line


def _draw_labels(axes: Axes, points: Sequence[_Point]) -> None:
    """Draws the labels that there is room for, none over another or over a mark.

    Points that coincide share one.
    """
    together: dict[tuple, list[_Point]] = {}
    for point in points:
        key = (f"{point.x:.3g}", f"{point.y:.4g}", point.series)
        together.setdefault(key, []).append(point)
    first = [members[0] for members in together.values()]
    x, y = [point.x for point in first], [point.y for point in first]
    radii: Any = [_MARK_SIZE / 2 + 1] * len(first)
    with contextlib.redirect_stdout(None):  # it prints where there is room for none
        textalloc.allocate(
            axes,
            x,
            y,
            [_names(members) for members in together.values()],
            x_scatter=x,
            y_scatter=y,
            scatter_sizes=radii,
            text_scatter_sizes=radii,
            textsize=12,
            textcolor=[color(point.series) for point in first],
            linecolor=LIGHT["axis"],
            max_distance=0.35,
            draw_all=False,
            avoid_label_lines_overlap=True,
            avoid_crossing_label_lines=True,
        )


def _names(members: Sequence[_Point]) -> str:
    names = [point.entry.short_label for point in members]
    together = ", ".join(names)
    if len(names) == 1 or len(together) <= _LABEL_LENGTH:
        return shorten(together, _LABEL_LENGTH)
    return f"{shorten(names[0], _LABEL_LENGTH - 12)} and {len(names) - 1} more"
