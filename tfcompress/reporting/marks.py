"""The marks of the charts: a shape and a color for each kind of quantization."""

import math
from collections.abc import Iterable

from tfcompress.reporting.markup import Markup, element

_KNOWN = ("float32", "float16", "dynamic_int8", "static_int8", "int4")
_COLORS = 6


def styles(quantizations: Iterable[str | None]) -> dict[str | None, int]:
    """Numbers the quantizations; the usual ones have the same number in every report.

    Args:
        quantizations: Those in use.

    Returns:
        A number for each, the usual ones first.

    Example:

    >>> styles(["int4", "float32", "ternary"])
    {'float32': 0, 'int4': 4, 'ternary': 5}
    """
    present = dict.fromkeys(quantizations)
    numbers = {name: number for number, name in enumerate(_KNOWN) if name in present}
    others = [name for name in present if name not in numbers]
    return numbers | {name: number for number, name in enumerate(others, len(_KNOWN))}


def color(style: int) -> str:
    """Returns the class that gives a style its color."""
    return f"color{style % _COLORS}"


def mark(style: int, x: float = 0.0, y: float = 0.0) -> Markup:
    """Draws the mark of a style; shapes differ as well as colors.

    Args:
        style: The style's number.
        x: The mark's middle.
        y: The mark's middle.

    Returns:
        An SVG element.
    """
    class_ = f"mark {color(style)}"
    shape = style % 7
    if shape == 2:
        return element("circle", cx=float(x), cy=float(y), r=5.0, class_=class_)
    corners = {
        0: _polygon(4, 45, 6.2),
        1: _polygon(3, -90, 6.6),
        3: _polygon(4, 0, 6.2),
        4: _polygon(3, 90, 6.6),
        5: _polygon(5, -90, 6.0),
        6: _polygon(6, 0, 5.8),
    }[shape]
    points = " ".join(f"{x + across:.1f},{y + down:.1f}" for across, down in corners)
    return element("polygon", points=points, class_=class_)


def _polygon(corners: int, turn: float, radius: float) -> list[tuple[float, float]]:
    angles = (math.radians(turn + 360 * corner / corners) for corner in range(corners))
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]
