"""Scales of charts: from values to pixels, with ticks at round values."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_MARGIN = 0.06


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic scale.

    Attributes:
        low: The smallest value.
        high: The largest value.
        start: The pixel of `low`.
        end: The pixel of `high`.
        is_log: Whether equal ratios, rather than equal differences, are equally far apart.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Returns the pixel of a value."""
        low, high = self.low, self.high
        if self.is_log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int = 7) -> list[float]:
        """Returns round values on the scale, in order.

        Args:
            most: How many there may be.
        """
        if self.is_log:
            least_gap = abs(self.end - self.start) / (most + 2)
            return _log_ticks(self, most, least_gap)
        return _linear_ticks(self.low, self.high, most)


def linear_scale(
    values: Iterable[float],
    start: float,
    end: float,
    *,
    from_zero: bool = False,
    least_span: float = 1.0,
) -> Scale:
    """Returns a linear scale with room for all values and a little margin.

    Args:
        values: At least one value.
        start: The pixel where the scale begins.
        end: The pixel where it ends.
        from_zero: Whether it begins at zero; the values are then not negative.
        least_span: The least difference between its ends.

    Returns:
        The scale.

    Example:

    >>> linear_scale([30.1, 38.3], 0, 400).ticks()
    [30.0, 32.0, 34.0, 36.0, 38.0]
    """
    values = list(values)
    low, high = min(values), max(values)
    if from_zero:
        return Scale(0.0, max(high * (1 + _MARGIN), least_span), start, end)
    least_span = max(least_span, abs(high) * 1e-9)
    margin = max((high - low) * _MARGIN, (least_span - (high - low)) / 2)
    return Scale(low - margin, high + margin, start, end)


def log_scale(
    values: Iterable[float], start: float, end: float, *, least_ratio: float = 4.0
) -> Scale:
    """Returns a logarithmic scale with room for all values and a little margin.

    Args:
        values: At least one value; all are positive.
        start: The pixel where the scale begins.
        end: The pixel where it ends.
        least_ratio: The least ratio of its ends.

    Returns:
        The scale.

    Example:

    >>> log_scale([8e6, 140e6], 0, 400).ticks()
    [10000000.0, 20000000.0, 50000000.0, 100000000.0]
    """
    values = list(values)
    low, high = min(values), max(values)
    margin = max((high / low) ** _MARGIN, math.sqrt(max(least_ratio / (high / low), 1)))
    return Scale(low / margin, high * margin, start, end, is_log=True)


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [_rounded(number * step) for number in range(first, last + 1)]


def _log_ticks(scale: Scale, most: int, least_gap: float) -> list[float]:
    """Returns the densest sequence of round values that are not too many or too close."""
    found = []
    powers = range(math.floor(math.log10(scale.low)), math.floor(math.log10(scale.high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)):
        values = [_rounded(factor * 10.0**power) for power in powers for factor in factors]
        values = [value for value in values if scale.low <= value <= scale.high]
        gaps = (abs(scale(after) - scale(before)) for before, after in pairwise(values))
        if len(values) > most or any(gap < least_gap for gap in gaps):
            break
        found = values
    if not found:
        stride = math.ceil(len(powers) / most)
        found = [
            10.0**power for power in powers if power % stride == 0 and 10.0**power >= scale.low
        ]
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")
