"""The chart of sizes."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tfcompress.reporting import formats
from tfcompress.reporting.charts.axes import add_legend
from tfcompress.reporting.charts.chart import Chart, shorten, tooltip
from tfcompress.reporting.charts.series import color, series_numbers
from tfcompress.reporting.comparison import Entry
from tfcompress.reporting.palette import LIGHT

_NAME_LENGTH, _NARROW_LENGTH = 60, 36


def bytes_chart(entries: Sequence[Entry]) -> Chart | None:
    """Draws the sizes of the model files, and of all that goes with them, as bars.

    Args:
        entries: The systems; those without a size are left out.

    Returns:
        The chart, or None if there is nothing to draw.
    """
    sized = [
        (entry, size, max(size, entry.row.bundle_bytes or 0))
        for entry in entries
        if (size := entry.row.model_bytes) is not None
    ]
    if not sized:
        return None
    texts = [_text(entry, size) for entry, size, _ in sized]
    bundled = any(entry.row.bundle_bytes is not None for entry, _, _ in sized)
    series = series_numbers(entry.row.quantization for entry in entries)
    most = max(total for _, _, total in sized)

    def draw(figure: Figure, width: int) -> None:
        is_wide = width > 600
        figure.set_figheight((len(sized) * (28 if is_wide else 44) + 8) / 72)
        axes = figure.subplots()
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.xaxis.set_visible(False)
        axes.set_xlim(0, most * (1.3 if is_wide else 1))
        axes.set_ylim(len(sized) - 0.5, -0.6 if is_wide else -0.8)
        length = _NAME_LENGTH if is_wide else _NARROW_LENGTH
        names = [shorten(entry.label, length) for entry, _, _ in sized]
        axes.set_yticks(range(len(sized)), names if is_wide else [""] * len(sized))
        axes.tick_params(axis="y", labelcolor=LIGHT["ink"])
        for place, ((entry, size, total), text, name) in enumerate(zip(sized, texts, names)):
            shade = color(series[entry.row.quantization])
            bar: Any = {"color": shade, "height": 0.7 if is_wide else 0.4}
            bar |= tooltip(f"{entry.label}: {text}")
            axes.barh(place, total, alpha=0.35, **bar)
            axes.barh(place, size, **bar)
            if is_wide:
                axes.text(total + most * 0.008, place, text, va="center", color=LIGHT["muted"])
            else:
                written = formats.byte_size(size)
                axes.text(0, place - 0.3, name)
                axes.text(most, place - 0.3, written, ha="right", color=LIGHT["muted"])
        if bundled:
            parts = [Patch(color=color(0)), Patch(color=color(0), alpha=0.35)]
            add_legend(figure, parts, ["model file", "rest of the bundle"], width)

    return Chart(
        title="Size of the model files",
        description="; ".join(
            f"{entry.label}: {text}" for (entry, _, _), text in zip(sized, texts)
        ),
        width=1040,
        draw=draw,
    )


def _text(entry: Entry, size: int) -> str:
    text = formats.byte_size(size)
    if entry.times_smaller is not None and entry.times_smaller > 1:
        text += f", {formats.ratio(entry.times_smaller)} smaller"
    return text
