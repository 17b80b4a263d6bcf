"""A chart: what it shows in words, and its drawing as a part of an HTML page."""

import html
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from tfcompress.reporting.palette import LIGHT, SERIES

NARROW = 320
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LIGHT["axis"],
    "axes.grid": True,
    "axes.labelcolor": LIGHT["muted"],
    "axes.labelsize": 12,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": LIGHT["muted"],
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "figure.constrained_layout.h_pad": 4 / 72,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 4 / 72,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.size": 12,
    "grid.color": LIGHT["grid"],
    "legend.borderpad": 0,
    "legend.columnspacing": 1.5,
    "legend.fontsize": 12,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "legend.handletextpad": 0.5,
    "legend.labelcolor": LIGHT["muted"],
    "svg.fonttype": "none",
    "text.color": LIGHT["ink"],
    "text.parse_math": False,
    "xtick.color": LIGHT["muted"],
    "xtick.major.size": 0,
    "ytick.color": LIGHT["muted"],
    "ytick.major.size": 0,
}
_NAMES = {LIGHT[name]: name for name in ("surface", "ink", "muted", "grid", "axis")} | {
    color: f"series{number}" for number, color in enumerate(SERIES)
}
_NO_METADATA = dict.fromkeys(["Creator", "Date", "Format", "Type"])
_TOOLTIP = "tooltip: "


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        title: Its title.
        description: What it shows, in words.
        width: Its width in pixels where there is room.
        draw: Draws it in a width, of which the second argument is the number of pixels.
        notes: What to say beside it.
    """

    title: str
    description: str
    width: int
    draw: Callable[[Figure, int], None]
    notes: tuple[str, ...] = ()

    def figure(self, width: int | None = None) -> Figure:
        """Returns the drawing.

        Args:
            width: Its width in pixels, `self.width` by default.
        """
        width = width or self.width
        with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
            # Text is drawn by the browser, which has more fonts.
            warnings.filterwarnings("ignore", "Glyph")
            figure = Figure(figsize=(width / 72, 1), dpi=72)
            self.draw(figure, width)
            freeze_layout(figure)
        return figure

    def svg(self, identifier: str, width: int | None = None) -> str:
        """Returns the drawing as an `svg` element in the page's colors.

        Args:
            identifier: What makes the element's ids unique on its page.
            width: Its width in pixels, `self.width` by default.
        """
        figure, content = self.figure(width), io.StringIO()
        style: dict[Any, Any] = _STYLE | {"svg.hashsalt": identifier}
        with matplotlib.rc_context(style), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")
            figure.savefig(content, format="svg", metadata=_NO_METADATA)
        _, _, drawing = content.getvalue().partition("<svg ")
        attributes, _, drawing = drawing.partition(">")
        (box,) = re.findall(r'viewBox="[^"]*"', attributes)
        tips = rf'<g id="{_TOOLTIP}([^"]*)"([^>]*)>'
        drawing = re.sub(tips, r"<g\2><title>\1</title>", drawing)
        drawing = re.sub(r'<g id="[^"]*"', "<g", drawing).replace("xlink:href", "href")
        drawing = re.sub(r"(?<=: )#[0-9a-f]{6}(?=[;\"])", _variable, drawing)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" '
            f'aria-labelledby="{identifier}-title {identifier}-description">'
            f'<title id="{identifier}-title">{html.escape(self.title)}</title>'
            f'<desc id="{identifier}-description">{html.escape(self.description)}</desc>{drawing}'
        )


def freeze_layout(figure: Figure) -> None:
    """Lays a figure out once and for all, which takes longer than to draw it."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")


def tooltip(text: str) -> dict[str, str]:
    """Returns the argument that gives a drawn thing a text to show under the mouse."""
    return {"gid": _TOOLTIP + text}


def shorten(text: str, most: int) -> str:
    """Returns text of at most `most` characters, with an ellipsis for what is cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "\u2026"


def _variable(color: re.Match) -> str:
    name = _NAMES.get(color[0])
    return f"var(--{name})" if name else color[0]
