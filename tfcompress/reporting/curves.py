"""The charts of a training."""

from collections.abc import Sequence

from tfcompress.reporting.axes import Axis, figure, grid, legend, line, number_tick
from tfcompress.reporting.labels import Box
from tfcompress.reporting.marks import color
from tfcompress.reporting.markup import Markup, element
from tfcompress.reporting.results import HistoryPoint
from tfcompress.reporting.scales import linear_scale

_MOST_POINTS = 400
_STYLES = {"training": 1, "validation": 2}


def history_charts(history: Sequence[HistoryPoint], identifier: str) -> dict[str, Markup]:
    """Draws a training: its losses, and the score on the validation set.

    Args:
        history: The training.
        identifier: What makes the pictures' ids unique on their page.

    Returns:
        By title, an `svg` element for each chart that there are at least two figures of.
    """
    losses = {
        "training": [(point.step, point.loss) for point in history],
        "validation": [(point.step, point.validation_loss) for point in history],
    }
    scores = {"validation": [(point.step, point.validation_bleu) for point in history]}
    accuracies = {"validation": [(point.step, point.validation_accuracy) for point in history]}
    charts = {
        "Loss": _curves(losses, f"{identifier}-loss", "Loss", least_span=1e-3),
        "BLEU": _curves(scores, f"{identifier}-bleu", "BLEU", least_span=1.0),
        "Accuracy": _curves(accuracies, f"{identifier}-accuracy", "Accuracy", least_span=1.0),
    }
    return {title: chart for title, chart in charts.items() if chart is not None}


def _curves(
    curves: dict[str, list[tuple[int, float | None]]],
    identifier: str,
    name: str,
    *,
    least_span: float,
) -> Markup | None:
    known = {
        curve: [(step, value) for step, value in points if value is not None]
        for curve, points in curves.items()
    }
    known = {curve: _thinned(points) for curve, points in known.items() if len(points) > 1}
    if not known:
        return None
    width, height = 520, 280
    box = Box(52, 36, width - 20, height - 48)
    steps = [step for points in known.values() for step, _ in points]
    values = [value for points in known.values() for _, value in points]
    x_scale = linear_scale(steps, box.left, box.right, from_zero=min(steps) >= 0)
    y_scale = linear_scale(values, box.bottom, box.top, least_span=least_span)
    parts = [grid(box, Axis("step", x_scale, number_tick), Axis(name, y_scale, number_tick))]
    items = []
    for curve, points in known.items():
        path = " ".join(f"{x_scale(step):.1f},{y_scale(value):.1f}" for step, value in points)
        class_ = f"curve {color(_STYLES[curve])}"
        parts.append(element("polyline", points=path, class_=class_))
        items.append((line(-9, 0, 6, 0, class_), curve))
    key, _ = legend(items, 0, width - 20)
    parts.append(key)
    description = "; ".join(
        f"{curve}: from {points[0][1]:.4g} at step {points[0][0]} to {points[-1][1]:.4g} at step "
        f"{points[-1][0]}"
        for curve, points in known.items()
    )
    return figure(identifier, f"{name} in training", description, width, height, *parts)


def _thinned(points: list) -> list:
    """Leaves out points that are too dense to be seen, never the last one."""
    stride = -(-len(points) // _MOST_POINTS)
    return [*points[:-1:stride], points[-1]]
