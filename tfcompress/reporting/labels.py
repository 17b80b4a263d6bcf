"""Puts labels beside the points of a chart so that none covers another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_NARROW, _WIDE = frozenset("iljtfrI.,:;'|![]() "), frozenset("mwMW@%<>=+~#&\u2026")
_DISTANCES = (9, 14, 22, 32, 44, 58, 74, 92, 112, 134, 158, 184)
_DIRECTIONS = 16
_OBSTACLE_COST = 16


@dataclass(frozen=True)
class Box:
    """A rectangle.

    Attributes:
        left: Its least x.
        top: Its least y.
        right: Its greatest x.
        bottom: Its greatest y.
    """

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Tells whether two boxes have an inside point in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def contains(self, other: "Box") -> bool:
        """Tells whether another box lies in this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Returns the point of the box that is nearest to a point."""
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)

    def is_crossed(self, start: tuple[float, float], end: tuple[float, float]) -> bool:
        """Tells whether a line's inner part runs through the box."""
        low, high = 0.0, 1.0
        bounds = ((self.left, self.right), (self.top, self.bottom))
        for origin, target, (least, most) in zip(start, end, bounds):
            step = target - origin
            if step == 0:
                if not least < origin < most:
                    return False
                continue
            enter, leave = sorted(((least - origin) / step, (most - origin) / step))
            low, high = max(low, enter), min(high, leave)
        return low < high


def text_width(text: str, size: float) -> float:
    """Estimates how wide text is in a sans-serif font, rather too wide than too narrow.

    Args:
        text: The text.
        size: The font size in pixels.

    Returns:
        The width in pixels.
    """
    return size * sum(
        1.0
        if character in _WIDE or ord(character) > 0x2E7F
        else 0.4
        if character in _NARROW
        else 0.74
        if character.isupper()
        else 0.63
        for character in text
    )


def shorten(text: str, most: int) -> str:
    """Returns text of at most `most` characters, with an ellipsis for what is cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "\u2026"


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    frame: Box,
    *,
    radius: float = 6.0,
    obstacles: Sequence[Box] = (),
) -> list[Box | None]:
    """Finds a free place for every label, as near to its point as possible.

    Labels cover neither each other nor points, and no line from a point to its label crosses
    another label. They avoid obstacles where there is room nearby.

    Args:
        points: The points labelled.
        sizes: Width and height of their labels.
        frame: Where labels may be.
        radius: The radius of the points' marks.
        obstacles: What labels should rather not cover.

    Returns:
        The labels' boxes; None where there is no room.

    Example:

    >>> place_labels([(50, 50)], [(40, 12)], Box(0, 0, 200, 100))
    [Box(left=59.0, top=44.0, right=99.0, bottom=56.0)]
    """
    marks = [Box(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    placed: list[Box | None] = [None] * len(points)
    order = sorted(range(len(points)), key=lambda index: -_crowding(points, index))
    for _ in range(2):  # the second time, labels move up to places that others have left
        for index in order:
            placed[index] = None
            others = [(points[other], box) for other, box in enumerate(placed) if box is not None]
            placed[index] = _cheapest_place(
                points[index], sizes[index], frame, marks, others, obstacles
            )
    return placed


def _cheapest_place(point, size, frame, marks, others, obstacles) -> Box | None:
    cheapest, least = None, math.inf
    for distance, box in _candidates(point, size):
        if distance >= least:
            break
        cost = distance + _OBSTACLE_COST * sum(box.overlaps(item) for item in obstacles)
        if cost < least and frame.contains(box) and _is_free(box, point, marks, others):
            cheapest, least = box, cost
    return cheapest


def _crowding(points, index) -> float:
    x, y = points[index]
    return sum(1 / (1 + math.hypot(x - a, y - b)) for a, b in points)


def _candidates(point, size):
    """Yields distances and boxes around a point, nearest first, to the right before elsewhere."""
    (x, y), (width, height) = point, size
    for distance in _DISTANCES:
        for step in range(_DIRECTIONS):
            turn = (step + 1) // 2 * (-1) ** step
            angle = 2 * math.pi * turn / _DIRECTIONS
            across, down = math.cos(angle), math.sin(angle)
            left = x + distance * across - width * (1 - across) / 2
            top = y + distance * down - height * (1 - down) / 2
            yield distance, Box(left, top, left + width, top + height)


def _is_free(box, point, marks, others) -> bool:
    near = box.nearest(*point)
    own = Box(point[0] - 1, point[1] - 1, point[0] + 1, point[1] + 1)
    return (
        not any(
            box.overlaps(mark) or (mark.is_crossed(point, near) and not mark.overlaps(own))
            for mark in marks
        )
        and not any(box.overlaps(other) or other.is_crossed(point, near) for _, other in others)
        and not any(box.is_crossed(start, other.nearest(*start)) for start, other in others)
    )
