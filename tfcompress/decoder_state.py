"""What a decoder carries from one step to the next, as its layers declare it."""

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

HYPOTHESIS, SENTENCE = "hypothesis", "sentence"


@dataclass(frozen=True)
class StateSpec:
    """A tensor that a decoder carries from step to step.

    Attributes:
        shape: Without the batch axis. None, at most once, stands for positions: of a tensor per
            hypothesis those decoded so far, along which it grows by one row a step, and of one per
            sentence those of the source. A tensor per hypothesis without None is replaced by every
            step.
        per: "hypothesis" (a row for each of them, which follows it through beam search), or
            "sentence" (one for all hypotheses, computed when the sentence is encoded, and only
            read by steps).
        initial: What a tensor per hypothesis holds before the first step. Rows of positions that
            are still to come may hold any finite value: a step must not let them count.

    Raises:
        ValueError: If one of them is impossible.

    Example:

    >>> StateSpec((8, None, 64)).grows
    True
    >>> StateSpec((512,)).sizes(rows=4, length=32)
    (4, 512)
    """

    shape: tuple[int | None, ...]
    _: KW_ONLY
    per: str = HYPOTHESIS
    initial: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "shape", tuple(self.shape))
        fixed = [size for size in self.shape if size is not None]
        are_sizes = all(type(size) is int and size > 0 for size in fixed)
        if not self.shape or not are_sizes or len(self.shape) > len(fixed) + 1:
            raise ValueError(
                "`shape` must hold sizes and at most one None, for the positions. Received: "
                f"shape={self.shape}. Leave out the batch axis."
            )
        if self.per not in (HYPOTHESIS, SENTENCE):
            raise ValueError(
                f"`per` must be {HYPOTHESIS!r} or {SENTENCE!r}. Received: per={self.per!r}."
            )
        if not (isinstance(self.initial, int | float) and math.isfinite(self.initial)):
            raise ValueError(f"`initial` must be finite. Received: initial={self.initial!r}.")

    @property
    def grows(self) -> bool:
        """Whether a tensor per hypothesis gets a row at every step instead of being replaced."""
        return self.per == HYPOTHESIS and None in self.shape

    def sizes(self, rows: Any, length: Any) -> tuple:
        """Returns the whole shape.

        Args:
            rows: Size of the batch axis.
            length: Number of positions.
        """
        return (rows, *(length if size is None else size for size in self.shape))

    def to_mapping(self) -> dict[str, Any]:
        """Returns what stands in a manifest."""
        return {"shape": list(self.shape), "per": self.per, "initial": self.initial}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "StateSpec":
        """Reads what `to_mapping` returned.

        Raises:
            ValueError: If it is no such mapping.
        """
        try:
            return cls(mapping["shape"], per=mapping["per"], initial=mapping["initial"])
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"A state's entry must have a shape, a unit and an initial value. Received: "
                f"{mapping!r}."
            ) from error
