"""The charts of a training."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from tfcompress.reporting.charts.axes import (
    add_legend,
    linear_limits,
    number_tick,
    set_x_ticks,
    set_y_ticks,
)
from tfcompress.reporting.charts.chart import Chart
from tfcompress.reporting.charts.series import color
from tfcompress.reporting.results import HistoryPoint

_MOST_POINTS = 400
_SERIES = {"training": 1, "validation": 2}


def history_charts(history: Sequence[HistoryPoint]) -> dict[str, Chart]:
    """Draws a training: its losses, and the score on the validation set.

    Args:
        history: The training.

    Returns:
        By title, a chart for each metric that was measured at least twice.
    """
    charts = {
        "Loss": _curves(history, "Loss", 1e-3, training="loss", validation="validation_loss"),
        "BLEU": _curves(history, "BLEU", 1.0, validation="validation_bleu"),
        "Perplexity": _curves(history, "Perplexity", 1.0, validation="validation_perplexity"),
        "Accuracy": _curves(history, "Accuracy", 1.0, validation="validation_accuracy"),
    }
    return {title: chart for title, chart in charts.items() if chart is not None}


def _curves(
    history: Sequence[HistoryPoint], name: str, least_span: float, **fields: str
) -> Chart | None:
    curves = {}
    for curve, field in fields.items():
        points = [(point.step, getattr(point, field)) for point in history]
        points = [(step, value) for step, value in points if value is not None]
        if len(points) > 1:
            curves[curve] = _thinned(points)
    if not curves:
        return None
    steps = [step for points in curves.values() for step, _ in points]
    values = [value for points in curves.values() for _, value in points]

    def draw(figure: Figure, width: int) -> None:
        figure.set_figheight(280 / 72)
        axes = figure.subplots()
        axes.set_title(name)
        axes.set_xlabel("step")
        axes.set_xlim(0, 1.06 * max(*steps, 1))
        axes.set_ylim(linear_limits(values, least_span=least_span))
        set_x_ticks(axes, width, number_tick)
        set_y_ticks(axes)
        lines = [
            axes.plot(*zip(*points), color=color(_SERIES[curve]), linewidth=2)[0]
            for curve, points in curves.items()
        ]
        add_legend(figure, lines, [*curves], width)

    description = "; ".join(
        f"{curve}: from {points[0][1]:.4g} at step {points[0][0]} to {points[-1][1]:.4g} at step "
        f"{points[-1][0]}"
        for curve, points in curves.items()
    )
    return Chart(f"{name} in training", description, 520, draw)


def _thinned(points: list) -> list:
    """Leaves out points that are too dense to be seen, never the last one."""
    stride = -(-len(points) // _MOST_POINTS)
    return [*points[:-1:stride], points[-1]]
