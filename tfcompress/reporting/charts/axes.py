"""Axes and legends of the charts."""

import math
from collections.abc import Callable, Iterable, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from tfcompress.reporting import formats
from tfcompress.reporting.charts.chart import shorten

_MARGIN = 0.06
_MEANING_LENGTH = 24
_STEPS = [1, 2, 5, 10]


def linear_limits(values: Iterable[float], *, least_span: float = 1.0) -> tuple[float, float]:
    """Returns the ends of an axis, with a little margin around all values.

    Args:
        values: At least one value.
        least_span: The least difference between the ends.
    """
    values = list(values)
    low, high = min(values), max(values)
    least_span = max(least_span, abs(high) * 1e-9)
    margin = max((high - low) * _MARGIN, (least_span - (high - low)) / 2)
    return low - margin, high + margin


def log_limits(values: Iterable[float], *, least_ratio: float = 4.0) -> tuple[float, float]:
    """Returns the ends of a logarithmic axis, with a little margin around all values.

    Args:
        values: At least one value; all are positive.
        least_ratio: The least ratio of the ends.
    """
    low, high = linear_limits(map(math.log, values), least_span=math.log(least_ratio))
    return math.exp(low), math.exp(high)


def set_x_ticks(axes: Axes, width: int, write: Callable[[float], str]) -> None:
    """Puts round values on the horizontal axis, no more than there is room for.

    Args:
        axes: The axes, their limits set.
        width: Their width in pixels.
        write: Returns a tick's text.
    """
    if axes.get_xscale() == "log":
        low, high = axes.get_xlim()
        decades = math.log10(high / low)
        factors = (1, 2, 5) if decades < width / 250 else (1, 3) if decades < width / 140 else (1,)
        axes.xaxis.set_major_locator(LogLocator(subs=factors, numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(min(7, width // 60), steps=_STEPS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))


def set_y_ticks(axes: Axes) -> None:
    """Puts round values on the vertical axis."""
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=_STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number_tick(value)))


def add_legend(figure: Figure, handles: Sequence[Artist], names: Sequence[str], width: int) -> None:
    """Puts a legend above a chart, in as many lines as it takes; none for fewer than two names.

    The chart becomes as much higher.
    """
    if len(names) < 2:
        return
    # matplotlib leaves out names that begin with an underscore.
    names = [f" {shorten(name, _MEANING_LENGTH)}" for name in names]
    columns = min(len(names), max(1, int(width / (6.5 * max(map(len, names)) + 36))))
    lines = math.ceil(len(names) / columns)
    figure.set_figheight(figure.get_figheight() + 17 * lines / 72)
    figure.legend(handles, names, loc="outside upper right", ncols=columns)


def byte_tick(value: float) -> str:
    """Returns a round number of bytes without idle zeros.

    Example:

    >>> byte_tick(20e6)
    '20 MB'
    """
    number, _, unit = formats.byte_size(value).partition(" ")
    return f"{float(number):g} {unit}"


def number_tick(value: float) -> str:
    """Returns a round number without idle zeros.

    Example:

    >>> number_tick(2500.0)
    '2,500'
    """
    return f"{value:,.12g}" if 1e-4 <= abs(value) < 1e7 or value == 0 else f"{value:.3g}"
