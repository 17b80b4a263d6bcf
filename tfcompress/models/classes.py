"""Which classes of a trained head are those of another."""

from collections.abc import Sequence
from typing import NamedTuple

from tfcompress.models.head_config import HeadConfig


class ClassMatch(NamedTuple):
    """How the classes of one head stand in another.

    Attributes:
        order: For each class, its number in the other head; None where they are other classes.
        message: Which class is which, or what the other head is instead; None where both have the
            same names in one order.
    """

    order: tuple[int, ...] | None
    message: str | None


def match_classes(source: HeadConfig | None, target: HeadConfig) -> ClassMatch:
    """Finds the classes of a head in another one, by their names.

    A name is the same in capitals and small letters, unless both spellings are classes. The other
    head may have more classes. Where the classes have only numbers ("0", "1", "LABEL_0", or no
    names at all), and both heads are of one size, classes go by their numbers; classes that have
    names never match those of a head that has only numbers.

    Args:
        source: The other head.
        target: The head whose classes are looked for.

    Returns:
        The match.

    Example:

    >>> match_classes(HeadConfig(labels=("POSITIVE", "NEGATIVE")), HeadConfig(labels=("negative",
    ...     "positive"))).order
    (1, 0)
    """
    if source is None or source.task != target.task:
        other = "no head" if source is None else f"a head for {source.task}"
        return ClassMatch(None, f"{other}, not one for {target.task}")
    a, b = class_names(source), class_names(target)
    order = _by_name(a, b)
    if order is not None and (len(a) == len(b) or not (_numbers(a) or _numbers(b))):
        return ClassMatch(order, None if a == b else f"classes go by name: {_pairs(a, b, order)}")
    if _numbers(b) and len(a) == len(b):
        order = tuple(range(len(a)))
        message = None if _numbers(a) else f"classes go by number: {_pairs(a, b, order)}"
        return ClassMatch(order, message)
    return ClassMatch(None, f"the classes {', '.join(a)}, not {', '.join(b)}")


def class_names(head: HeadConfig) -> tuple[str, ...]:
    """Returns the names of a head's classes, or else their numbers.

    Args:
        head: The head.
    """
    return head.labels or tuple(map(str, range(head.classes or 0)))


def has_names(head: HeadConfig) -> bool:
    """Returns whether a head's classes have names that are more than their numbers.

    Args:
        head: The head.
    """
    return not _numbers(class_names(head))


def find_names(known: Sequence[str], wanted: Sequence[str]) -> list[int | None]:
    """Returns the number of each wanted name, or None.

    Args:
        known: All names.
        wanted: Names; capitals and small letters are the same, unless both spellings are known.

    Example:

    >>> find_names(("Good", "bad"), ("bad", "good", "fine"))
    [1, 0, None]
    """
    exact = {name: number for number, name in enumerate(known)}
    folded = {_fold(name): number for number, name in enumerate(known)}
    if len(folded) < len(known):
        folded = {}
    return [exact.get(name, folded.get(_fold(name))) for name in wanted]


def _by_name(known, wanted):
    order = [number for number in find_names(known, wanted) if number is not None]
    return tuple(order) if len({*order}) == len(order) == len(wanted) else None


def _fold(name):
    return name.strip().casefold()


def _numbers(names):
    """Whether names are nothing but the classes' numbers."""
    return all(name in (str(i), f"LABEL_{i}") for i, name in enumerate(names))


def _pairs(source, target, order):
    return ", ".join(
        f"{name} is {source[number]} ({number})" for name, number in zip(target, order)
    )
