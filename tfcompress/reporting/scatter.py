"""Charts of quality against size and against latency."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tfcompress.reporting import formats
from tfcompress.reporting.axes import (
    FONT_SIZE,
    Axis,
    byte_tick,
    figure,
    grid,
    label,
    legend,
    line,
    number_tick,
)
from tfcompress.reporting.comparison import Entry
from tfcompress.reporting.labels import Box, place_labels, shorten, text_width
from tfcompress.reporting.marks import color, mark, styles
from tfcompress.reporting.markup import Markup, element, join
from tfcompress.reporting.scales import Scale, linear_scale, log_scale

_LABEL_LENGTH = 28
_LINE_HEIGHT = 14
_WIDE_RANGE = 20
_FEW = 6
_NEAR = 14
_STRIDE = 30


def size_chart(entries: Sequence[Entry], identifier: str) -> Markup | None:
    """Draws the score against the size of the model file.

    Args:
        entries: The systems; those without one of the two figures are left out.
        identifier: What makes the picture's ids unique on its page.

    Returns:
        An `svg` element, or None if there is nothing to draw.
    """
    return _scatter(
        entries,
        identifier,
        title="Size against quality",
        x_name="size of the model file (log scale)",
        x_value=lambda entry: entry.row.model_bytes,
        write=formats.byte_size,
        write_tick=byte_tick,
        is_log=True,
    )


def latency_chart(entries: Sequence[Entry], identifier: str, where: str = "") -> Markup | None:
    """Draws the score against latency.

    Args:
        entries: The systems, measured on one device; those without a figure are left out.
        identifier: What makes the picture's ids unique on its page.
        where: The device, for the title.

    Returns:
        An `svg` element, or None if there is nothing to draw.
    """
    latencies = [entry.row.latency_ms for entry in entries if entry.row.latency_ms is not None]
    is_log = bool(latencies) and max(latencies) > _WIDE_RANGE * min(latencies)
    return _scatter(
        entries,
        identifier,
        title=f"Latency against quality{where and f', {where}'}",
        x_name=f"milliseconds a sentence{' (log scale)' * is_log}",
        x_value=lambda entry: entry.row.latency_ms,
        write=lambda value: f"{formats.decimal(value)} ms",
        write_tick=number_tick,
        is_log=is_log,
    )


@dataclass(frozen=True)
class _Point:
    """A system in the chart: where its mark stands, and its interval's box if it has one."""

    entry: Entry
    x: float
    y: float
    style: int
    text: str
    interval: Box | None


def _scatter(
    entries: Sequence[Entry],
    identifier: str,
    *,
    title: str,
    x_name: str,
    x_value: Callable[[Entry], float | None],
    write: Callable[[float], str],
    write_tick: Callable[[float], str],
    is_log: bool,
) -> Markup | None:
    shown = [
        entry for entry in entries if x_value(entry) is not None and entry.row.score is not None
    ]
    if not shown:
        return None
    name = shown[0].row.score.name
    used = styles(entry.row.quantization for entry in shown)
    width, height = (1040, 480) if len(shown) > _FEW else (520, 360)
    items = [(mark(style), kind or "unknown") for kind, style in used.items()]
    key, key_height = legend(items, 0, width - 16)
    box = Box(44, key_height + 32, width - 16, height - 48)
    values = [x_value(entry) for entry in shown]
    if is_log:
        x_scale = log_scale(values, box.left, box.right)
    else:
        x_scale = linear_scale(values, box.left, box.right, from_zero=True, least_span=1e-9)
    y_scale = linear_scale(
        (end for entry in shown for end in _interval(entry)), box.bottom, box.top
    )
    points = [
        _point(entry, x_scale(value), y_scale, used[entry.row.quantization], write(value))
        for entry, value in zip(shown, values)
    ]
    frontier = _frontier(points)
    labels, left_out = _labels(points, frontier, box)
    parts = [
        grid(
            box,
            Axis(x_name, x_scale, write_tick),
            Axis(name, y_scale, number_tick),
        ),
        key,
        _polyline(frontier),
        *(_whisker(point) for point in points),
        *(
            element("g", element("title", point.text), mark(point.style, point.x, point.y))
            for point in points
        ),
        labels,
    ]
    description = f"Upper left is better. {'; '.join(point.text for point in points)}."
    if left_out:
        description += f" There was no room for {left_out} labels."
    return figure(identifier, title, description, width, height, *parts)


def _point(entry: Entry, x: float, y_scale: Scale, style: int, x_text: str) -> _Point:
    score, interval = entry.row.score, None
    if score.low is not None:
        interval = Box(x - 4, y_scale(score.high), x + 4, y_scale(score.low))
    written = formats.score(score.value, score.low, score.high)
    text = f"{entry.label}: {x_text}, {score.name} {written}"
    return _Point(entry, x, y_scale(score.value), style, text, interval)


def _interval(entry: Entry) -> list[float]:
    score = entry.row.score
    ends = (score.value, score.low, score.high)
    return [end for end in ends if end is not None]


def _whisker(point: _Point) -> str:
    bar = point.interval
    if bar is None:
        return ""
    path = (
        f"M{bar.left:.1f} {bar.top:.1f}H{bar.right:.1f}M{point.x:.1f} {bar.top:.1f}"
        f"V{bar.bottom:.1f}M{bar.left:.1f} {bar.bottom:.1f}H{bar.right:.1f}"
    )
    return element("path", d=path, class_=f"whisker {color(point.style)}")


def _frontier(points: Sequence[_Point]) -> list[tuple[float, float]]:
    """Returns the points that no other beats in both figures, from left to right."""
    best: list[tuple[float, float]] = []
    for x, y in sorted({(point.x, point.y) for point in points}):
        if not best or y < best[-1][1]:
            best.append((x, y))
    return best


def _polyline(corners: Sequence[tuple[float, float]]) -> str:
    if len(corners) < 2:
        return ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return element("polyline", points=path, class_="frontier")


def _labels(
    points: Sequence[_Point], frontier: Sequence[tuple[float, float]], box: Box
) -> tuple[Markup, int]:
    """Draws the labels; points that coincide share one. Counts those that had no room."""
    together: dict[tuple, list[_Point]] = {}
    for point in points:
        together.setdefault((round(point.x), round(point.y), point.style), []).append(point)
    first = [members[0] for members in together.values()]
    texts = [_names(members) for members in together.values()]
    intervals = [point.interval for point in points if point.interval is not None]
    places = place_labels(
        [(point.x, point.y) for point in first],
        [(text_width(text, FONT_SIZE), _LINE_HEIGHT) for text in texts],
        box,
        obstacles=[*intervals, *_stones(frontier)],
    )
    parts = [
        _label(point, text, place)
        for point, text, place in zip(first, texts, places)
        if place is not None
    ]
    return join(*parts), places.count(None)


def _names(members: Sequence[_Point]) -> str:
    names = [point.entry.short_label for point in members]
    together = ", ".join(names)
    if len(names) == 1 or len(together) <= _LABEL_LENGTH:
        return shorten(together, _LABEL_LENGTH)
    return f"{shorten(names[0], _LABEL_LENGTH - 12)} and {len(names) - 1} more"


def _label(point: _Point, text: str, place: Box) -> Markup:
    x, y = place.nearest(point.x, point.y)
    anchor, at = "middle", (place.left + place.right) / 2
    if place.left > point.x:
        anchor, at = None, place.left
    elif place.right < point.x:
        anchor, at = "end", place.right
    written = label(text, at, place.bottom - 3, f"label {color(point.style)}", anchor=anchor)
    if math.hypot(x - point.x, y - point.y) <= _NEAR:
        return written
    return join(line(point.x, point.y, x, y, "leader"), written)


def _stones(corners: Sequence[tuple[float, float]]) -> list[Box]:
    """Returns little boxes along a line, for labels to keep off it."""
    stones = []
    for (x1, y1), (x2, y2) in pairwise(corners):
        steps = max(1, round(math.hypot(x2 - x1, y2 - y1) / _STRIDE))
        for step in range(steps):
            x, y = x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps
            stones.append(Box(x - 1, y - 1, x + 1, y + 1))
    return stones
