"""The frame of a chart: title and description, grid, ticks, axis names and legend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tfcompress.reporting import formats
from tfcompress.reporting.labels import Box, shorten, text_width
from tfcompress.reporting.markup import Markup, element, join
from tfcompress.reporting.scales import Scale

FONT_SIZE = 12
_ITEM_SPACE = 34
_LINE_HEIGHT = 18
_MEANING_LENGTH = 24
_NAMESPACE = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        name: What it shows.
        scale: Its scale.
        write: Returns a tick's text.
    """

    name: str
    scale: Scale
    write: Callable[[float], str]


def figure(
    identifier: str, title: str, description: str, width: float, height: float, *content: str
) -> Markup:
    """Returns an SVG picture with a title and a description for those who can't see it.

    Args:
        identifier: What makes the picture's ids unique on its page.
        title: Its title.
        description: What it shows, in words.
        width: Its width in pixels.
        height: Its height in pixels.
        *content: What is drawn.

    Returns:
        The `svg` element.
    """
    return element(
        "svg",
        element("title", title, id=f"{identifier}-title"),
        element("desc", description, id=f"{identifier}-desc"),
        *content,
        xmlns=_NAMESPACE,
        viewBox=f"0 0 {width:g} {height:g}",
        style=f"min-width:{0.8 * width:g}px;max-width:{width:g}px",
        role="img",
        aria_labelledby=f"{identifier}-title {identifier}-desc",
        font_size=FONT_SIZE,
    )


def grid(box: Box, x: Axis, y: Axis) -> Markup:
    """Draws grid lines, ticks and axis names around a box.

    Args:
        box: Where the figures are drawn.
        x: The horizontal axis, named below the box.
        y: The vertical axis, named above the box.

    Returns:
        SVG elements.
    """
    parts = []
    for value, text in _tick_texts(y):
        pixel = y.scale(value)
        parts.append(line(box.left, pixel, box.right, pixel, "grid"))
        parts.append(label(text, box.left - 8, pixel + 4, "tick", anchor="end"))
    for value, text in _tick_texts(x):
        pixel = x.scale(value)
        parts.append(line(pixel, box.top, pixel, box.bottom, "grid"))
        parts.append(label(text, pixel, box.bottom + 18, "tick", anchor="middle"))
    parts.append(line(box.left, box.bottom, box.right, box.bottom, "axis"))
    middle = (box.left + box.right) / 2
    parts.append(label(x.name, middle, box.bottom + 38, "name", anchor="middle"))
    parts.append(label(y.name, 4, box.top - 15, "name"))
    return join(*parts)


def legend(items: Sequence[tuple[Markup, str]], left: float, right: float) -> tuple[Markup, float]:
    """Draws a legend at the top of a picture, in as many lines as it takes.

    Args:
        items: Pairs of a mark, drawn around the origin, and its meaning.
        left: Where its lines may begin.
        right: Where they end.

    Returns:
        SVG elements and the height that they take; nothing and 0 for fewer than two items.
    """
    if len(items) < 2:
        return Markup(), 0.0
    lines, room = [[]], right - left
    for symbol, meaning in items:
        meaning = shorten(meaning, _MEANING_LENGTH)
        width = text_width(meaning, FONT_SIZE) + _ITEM_SPACE
        if lines[-1] and width > room:
            lines.append([])
            room = right - left
        room -= width
        lines[-1].append((symbol, meaning, width))
    parts = []
    for number, entries in enumerate(lines):
        x, y = right - sum(width for *_, width in entries), number * _LINE_HEIGHT + 12
        for symbol, meaning, width in entries:
            parts.append(element("g", symbol, transform=f"translate({x + 24:.1f} {y})"))
            parts.append(label(meaning, x + _ITEM_SPACE, y + 4, "tick"))
            x += width
    return join(*parts), len(lines) * _LINE_HEIGHT + 6.0


def label(text: str, x: float, y: float, class_: str, *, anchor: str | None = None) -> Markup:
    """Draws text whose baseline begins, or has its anchor, at a point."""
    return element("text", text, x=float(x), y=float(y), class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draws a straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


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


def _tick_texts(axis: Axis) -> list[tuple[float, str]]:
    return [(value, axis.write(value)) for value in axis.scale.ticks()]
