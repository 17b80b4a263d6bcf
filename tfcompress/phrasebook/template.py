"""Sentence templates: functions over the product of their slots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from .text import Text


@dataclass(frozen=True)
class Template:
    """A function that makes one sentence pair, and the values that each of its arguments may take.

    Attributes:
        function: Takes one value of every slot, by keyword.
        slots: The slots' values, by argument name.
        weight: How often the template is used in relation to the others.
    """

    function: Callable[..., Text]
    slots: dict[str, Sequence]
    weight: float

    @property
    def size(self) -> int:
        """The number of sentence pairs that the template makes."""
        return prod(len(values) for values in self.slots.values())

    def build(self, index: int) -> Text:
        """Return the sentence pair with a number from 0 to `size` - 1."""
        chosen = {}
        for slot, values in self.slots.items():
            index, digit = divmod(index, len(values))
            chosen[slot] = values[digit]
        return self.function(**chosen)


TEMPLATES: list[Template] = []


def template(*, weight: float = 1.0, **slots: Sequence):
    """Register a function as a template and return it unchanged.

    Args:
        weight: How often the template is used in relation to the others.
        **slots: The values that each argument may take. Different values must make different
            English sentences.

    Example:
        >>> @template(color=("red", "blue"))
        ... def paint(color): ...
        >>> TEMPLATES.pop().size
        2
    """

    def register(function: Callable[..., Text]) -> Callable[..., Text]:
        TEMPLATES.append(Template(function, slots, weight))
        return function

    return register
