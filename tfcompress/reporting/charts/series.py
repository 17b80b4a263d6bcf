"""The marks of the systems: a color and a shape for each quantization."""

from collections.abc import Iterable

from tfcompress.reporting.palette import SERIES

_KNOWN = ("float32", "float16", "dynamic_int8", "static_int8", "int4")
_SHAPES = "s^oDvph<>*"


def series_numbers(quantizations: Iterable[str | None]) -> dict[str | None, int]:
    """Numbers the quantizations; the usual ones have the same number in every report.

    Args:
        quantizations: Those in use.

    Returns:
        A number for each, the usual ones first.

    Example:

    >>> series_numbers(["int4", "float32", "ternary"])
    {'float32': 0, 'int4': 4, 'ternary': 5}
    """
    present = dict.fromkeys(quantizations)
    numbers = {name: number for number, name in enumerate(_KNOWN) if name in present}
    others = [name for name in present if name not in numbers]
    return numbers | {name: number for number, name in enumerate(others, len(_KNOWN))}


def color(number: int) -> str:
    """Returns the color of a series."""
    return SERIES[number % len(SERIES)]


def shape(number: int) -> str:
    """Returns the shape of a series' marks; beyond ten series, other pairs with the colors."""
    return _SHAPES[(number + number // len(SERIES)) % len(_SHAPES)]
